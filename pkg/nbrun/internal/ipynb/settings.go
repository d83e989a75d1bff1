package ipynb

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Settings are what the metadata of a notebook or a cell ask of a runner. Zero means
// that they don't say.
type Settings struct {
	// Timeout is the time that a cell may take, as nbmake and jupyter-cache read it: a
	// number of seconds, "timeout" in "execution". A negative number means no limit,
	// and is negative here.
	Timeout time.Duration
	// MaxMemory is how many bytes a cell may hold: "max_memory" in "nbrun".
	MaxMemory int64
	// Masks are the regular expressions for what is not compared with the stored
	// outputs: a list of them, "mask" in "nbrun".
	Masks []string
	// RealClock keeps the cells off the virtual clock: "clock" in "nbrun" is "real".
	RealClock bool
}

// Settings returns the notebook's settings, for all of its cells. It fails if the
// metadata have a setting with an invalid value.
func (nb *Notebook) Settings() (Settings, error) { return settings(nb.field("metadata")) }

// Settings returns the cell's settings.
func (c *Cell) Settings() (Settings, error) { return settings(get(c.fields, "metadata")) }

func settings(metadata json.RawMessage) (s Settings, err error) {
	var meta struct{ Execution, Nbrun json.RawMessage }
	_ = json.Unmarshal(metadata, &meta)
	var execution struct{ Timeout json.RawMessage }
	_ = json.Unmarshal(meta.Execution, &execution) // others have a meaning of their own for it
	var nbrun struct {
		MaxMemory json.RawMessage `json:"max_memory"`
		Mask      json.RawMessage
		Clock     json.RawMessage
	}
	var seconds, bytes float64
	var clock string
	for _, setting := range []struct {
		name  string
		value *json.RawMessage
		into  any
		want  string
	}{
		{"execution.timeout", &execution.Timeout, &seconds, "a number of seconds"},
		{"nbrun", &meta.Nbrun, &nbrun, "an object"},
		{"nbrun.max_memory", &nbrun.MaxMemory, &bytes, "a number of bytes"},
		{"nbrun.mask", &nbrun.Mask, &s.Masks, "a list of regular expressions"},
		{"nbrun.clock", &nbrun.Clock, &clock, `"real"`},
	} {
		value := *setting.value
		if len(value) > 0 && json.Unmarshal(value, setting.into) != nil {
			return Settings{}, fmt.Errorf("the metadata %q must be %s, got %.40s", setting.name, setting.want, value)
		}
	}
	if bytes < 0 {
		return Settings{}, fmt.Errorf("the metadata %q must not be negative, got %s", "nbrun.max_memory", nbrun.MaxMemory)
	}
	if s.RealClock = clock == "real"; clock != "" && !s.RealClock {
		return Settings{}, fmt.Errorf("the metadata %q must be %q, got %q", "nbrun.clock", "real", clock)
	}
	const most = math.MaxInt64 / 2 // as good as no limit
	s.Timeout = time.Duration(min(seconds*float64(time.Second), most))
	s.MaxMemory = int64(min(bytes, most))
	return s, nil
}
