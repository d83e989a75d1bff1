package story

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// folder is where the records of a notebook's runs are kept: the kernel's own
// temporary folder, which goes when the kernel goes.
func folder() string {
	if dir := os.Getenv("GONB_TMP_DIR"); dir != "" {
		return filepath.Join(dir, ".runs")
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("prodcons-runs-%d", os.Getuid()))
}

// file is where the record of a run of that name is kept, whatever is in the name.
func file(name string) string {
	hash := fnv.New128a()
	_, _ = hash.Write([]byte(name)) // never fails
	return filepath.Join(folder(), fmt.Sprintf("%x.json", hash.Sum(nil)))
}

// saved is what a file holds.
type saved struct {
	Record *prodcons.Record `json:"record"`
	Speed  float64          `json:"speed"`
	Late   time.Duration    `json:"late"` // real time, in ns
	Mean   time.Duration    `json:"mean_late"`
}

// save writes the record to a file of its name, all of it or nothing.
func save(s saved) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder(), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(folder(), ".run-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), file(s.Record.Name()))
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// Load returns the record of the last run of that name. A cell is a program of its
// own, so this is how one cell sees what another has run. Load panics with an error
// if there is no such run; its text says which cell to run.
func Load(name string) *prodcons.Record {
	data, err := os.ReadFile(file(name))
	if errors.Is(err, fs.ErrNotExist) {
		panic(fmt.Errorf("there is no run named %q yet: run the cell that starts it, then this one again", name))
	}
	var s saved
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err == nil && s.Record == nil {
		err = errors.New("it is not complete")
	}
	if err != nil {
		panic(fmt.Errorf("the run named %q could not be read: %w", name, err))
	}
	noteClock(s.Record, measure{s.Speed, s.Late, s.Mean})
	return s.Record
}
