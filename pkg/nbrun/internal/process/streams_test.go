package process

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

func TestStreamsKeepOrderAndTimes(t *testing.T) {
	var got []string
	s := NewStreams(event.SinkFunc(func(at time.Time, o event.Output) error {
		got = append(got, at.Sub(FakeStart).String()+" "+o.Name+" "+strings.TrimSuffix(o.Text, "\n"))
		return nil
	}), func(line []byte) []byte { return []byte(strings.ToUpper(string(line))) })
	write := func(fd int, after time.Duration, text string) {
		header := binary.BigEndian.AppendUint64([]byte("\x00\x00PB"), uint64(FakeStart.Add(after).UnixNano()))
		for _, p := range [][]byte{binary.BigEndian.AppendUint32(header, uint32(len(text))), []byte(text)} {
			if err := s.Write(fd, p); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(1, 0, "a\n")
	write(2, time.Second, "b\n")
	write(1, 2*time.Second, "c\n")
	write(2, 3*time.Second, "d")
	last, err := s.Close()
	if err != nil || !last.Equal(FakeStart.Add(3*time.Second)) {
		t.Errorf("%v, %v", last, err)
	}
	if want := "0s stdout a, 1s stderr B, 2s stdout c, 3s stderr D"; strings.Join(got, ", ") != want {
		t.Errorf("got %q", got)
	}
}
