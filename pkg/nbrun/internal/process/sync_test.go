//go:build unix

package process

import (
	"encoding/gob"
	"fmt"
	"os"
	"testing"

	"github.com/janpfeifer/gonb/gonbui/protocol"
)

const syncsEnv = "PROCESS_TEST_SYNCS"

// Started with the variable, the test is a program that asks for many answers
// before it reads the first, as many goroutines in gonbui.Sync do.
func init() {
	if os.Getenv(syncsEnv) == "" {
		return
	}
	check := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	out, err := os.OpenFile(os.Getenv(protocol.GONB_PIPE_ENV), os.O_WRONLY, 0)
	check(err)
	back, err := os.OpenFile(os.Getenv(protocol.GONB_PIPE_BACK_ENV), os.O_RDONLY, 0)
	check(err)
	const syncs = 20_000 // their answers are more than a pipe holds
	to, from := gob.NewEncoder(out), gob.NewDecoder(back)
	for i := range syncs {
		check(to.Encode(&protocol.DisplayData{Data: map[protocol.MIMEType]any{
			protocol.MIMECommValue: &protocol.CommValue{Address: protocol.GonbuiSyncAddress, Value: i},
		}}))
	}
	for i := range syncs {
		var v protocol.CommValue
		check(from.Decode(&v))
		if v.Address != protocol.GonbuiSyncAckAddress || v.Value != i {
			check(fmt.Errorf("answer %d is %+v", i, v))
		}
	}
	fmt.Println("all answered")
	os.Exit(0)
}

func TestAnswersWaitForRoom(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{keep: true}
	p := &Process{Path: self, Env: append(os.Environ(), syncsEnv+"=1"), Displays: true}
	exit, err := p.Run(t.Context(), s)
	if got := fmt.Sprintf("%q", s.parts); err != nil || exit.Err != nil || got != `["stdout: all answered\n"]` {
		t.Errorf("%v, %v: %s", err, exit.Err, got)
	}
}
