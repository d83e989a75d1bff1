package main

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgress(t *testing.T) {
	for _, test := range []struct {
		live bool
		want string
	}{
		{true, "\r\x1b[Kbook: building\r\x1b[Kbook: building: 1 of 9\r\x1b[Kbook: building: 2 of 9\r\x1b[Kbook: building: 3 of 9\r\x1b[K\r\x1b[Kbook: packing: 1 of 2"},
		{false, "book: building\nbook: building: 2 of 9\nbook: packing: 1 of 2\n"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			p := progress{out: &out, live: test.live}
			for _, text := range []string{"building", "building: 1 of 9"} {
				p.tell(text)
			}
			time.Sleep(every)
			for _, text := range []string{"building: 2 of 9", "building: 3 of 9", "", "packing: 1 of 2"} {
				p.tell(text)
			}
			if out.String() != test.want {
				t.Errorf("live %v: %q, want %q", test.live, out.String(), test.want)
			}
		})
	}
}
