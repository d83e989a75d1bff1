package ipynb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// Stored returns the outputs that the file has for a cell.
func (c *Cell) Stored() ([]event.Output, error) {
	raw := get(c.fields, "outputs")
	if raw == nil || isNull(raw) {
		return nil, nil
	}
	var stored []struct {
		Type      string                     `json:"output_type"`
		Name      string                     `json:"name"`
		Text      json.RawMessage            `json:"text"`
		Data      map[string]json.RawMessage `json:"data"`
		Metadata  map[string]any             `json:"metadata"`
		Ename     string                     `json:"ename"`
		Evalue    string                     `json:"evalue"`
		Traceback []string                   `json:"traceback"`
	}
	if err := json.Unmarshal(raw, &stored); err != nil {
		return nil, fmt.Errorf("its outputs are not valid: %w", err)
	}
	var list []event.Output
	for _, s := range stored {
		o := event.Output{Name: s.Name, Metadata: s.Metadata}
		switch s.Type {
		case "stream":
			o.Kind = event.Stream
			o.Text, _ = multiline(s.Text)
		case "display_data", "execute_result":
			o.Kind = event.Display
			o.Data = map[string]any{}
			for _, mime := range slices.Sorted(maps.Keys(s.Data)) {
				var v any
				if text, ok := multiline(s.Data[mime]); ok {
					v = text
				} else if err := json.NewDecoder(bytes.NewReader(s.Data[mime])).Decode(&v); err != nil {
					return nil, err
				}
				o.Data[mime] = v
			}
		case "error":
			o.Kind, o.Name, o.Value, o.Traceback = event.Error, s.Ename, s.Evalue, s.Traceback
		default:
			continue
		}
		list = append(list, o)
	}
	return list, nil
}
