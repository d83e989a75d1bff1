package params

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/types"
	"maps"
	"slices"
	"strings"
)

// composite writes a list or map, given as JSON, as Go source.
func composite(t types.Type, value string) (string, error) {
	dec := json.NewDecoder(strings.NewReader(value))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil || dec.More() {
		return "", errors.New("is not JSON")
	}
	return literalOf(t, v)
}

// typeName is the name of a type in package main.
func typeName(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p.Name() == "main" {
			return ""
		}
		return p.Name()
	})
}

// literalOf writes a JSON value as one of a type.
func literalOf(t types.Type, v any) (string, error) {
	none := fmt.Errorf("has %v where %s is expected", v, typeName(t))
	switch u := t.Underlying().(type) {
	case *types.Basic:
		text := fmt.Sprint(v)
		if _, isText := v.(string); isText != (u.Info()&types.IsString != 0) || v == nil {
			return "", none
		}
		literal, err := parameter{kind: types.Default(u).String()}.literal(text)
		if err != nil {
			return "", none
		}
		return literal, nil
	case *types.Slice:
		return listOf(t, u.Elem(), -1, v)
	case *types.Array:
		return listOf(t, u.Elem(), u.Len(), v)
	case *types.Map:
		object, ok := v.(map[string]any)
		if key, basic := u.Key().Underlying().(*types.Basic); !ok || !basic || key.Info()&types.IsString == 0 {
			return "", none
		}
		var entries []string
		for _, k := range slices.Sorted(maps.Keys(object)) {
			key, err := literalOf(u.Key(), k)
			if err != nil {
				return "", err
			}
			value, err := literalOf(u.Elem(), object[k])
			if err != nil {
				return "", err
			}
			entries = append(entries, key+": "+value)
		}
		return typeName(t) + "{" + strings.Join(entries, ", ") + "}", nil
	}
	return "", none
}

// listOf writes a list; an array has at most that many elements.
func listOf(t, elem types.Type, most int64, v any) (string, error) {
	list, ok := v.([]any)
	if !ok || most >= 0 && int64(len(list)) > most {
		return "", fmt.Errorf("has %v where %s is expected", v, typeName(t))
	}
	var elements []string
	for _, e := range list {
		text, err := literalOf(elem, e)
		if err != nil {
			return "", err
		}
		elements = append(elements, text)
	}
	return typeName(t) + "{" + strings.Join(elements, ", ") + "}", nil
}
