package event_test

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// The schema has the members that the types have, and requires those that are
// always there.
func TestTheSchemaIsThatOfTheTypes(t *testing.T) {
	data, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		Required   []string
		Properties map[string]any
	}
	var schema struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := errors.Join(json.Unmarshal(data, &schema), json.Unmarshal(data, &schema.object)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		typ    reflect.Type
		schema object
	}{
		{reflect.TypeFor[event.Event](), schema.object},
		{reflect.TypeFor[event.Cell](), schema.Defs["cell"]},
		{reflect.TypeFor[event.Output](), schema.Defs["output"]},
		{reflect.TypeFor[event.Fault](), schema.Defs["fault"]},
	} {
		var members, required, described []string
		for f := range c.typ.NumField() {
			name, options, _ := strings.Cut(c.typ.Field(f).Tag.Get("json"), ",")
			members = append(members, name)
			if options != "omitempty" {
				required = append(required, name)
			}
		}
		for name := range c.schema.Properties {
			described = append(described, name)
		}
		slices.Sort(members)
		slices.Sort(required)
		slices.Sort(described)
		slices.Sort(c.schema.Required)
		if !slices.Equal(members, described) {
			t.Errorf("%v has %v, the schema %v", c.typ, members, described)
		}
		if !slices.Equal(required, c.schema.Required) {
			t.Errorf("%v always has %v, the schema requires %v", c.typ, required, c.schema.Required)
		}
	}
}

func TestFaultsAreWrittenWithTheirPlace(t *testing.T) {
	for want, f := range map[string]*event.Fault{
		"cell 3, line 2: text": {Cell: 3, Line: 2, Column: 5, Text: "text"},
		"cell 3: text":         {Cell: 3, Text: "text"},
		"line 2: text":         {Line: 2, Text: "text"},
		"text":                 {Text: "text"},
	} {
		if got := f.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := (event.Faults{{Cell: 1, Text: "a"}, {Cell: 2, Text: "b"}}).Error(); got != "cell 1: a" {
		t.Errorf("%q", got)
	}
}

func TestAllTellsEachAndKeepsTheErrors(t *testing.T) {
	var told []string
	observer := func(name string, err error) event.Observer {
		return event.ObserverFunc(func(event.Event) error { told = append(told, name); return err })
	}
	a, b := errors.New("a"), errors.New("b")
	err := event.All(observer("1", a), nil, observer("2", nil), observer("3", b)).Observe(event.Event{})
	if !errors.Is(err, a) || !errors.Is(err, b) || strings.Join(told, "") != "123" {
		t.Errorf("%v, told %v", err, told)
	}
}
