//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
)

func TestWireSignsAndChecks(t *testing.T) {
	w := &wire{key: []byte("key"), session: "s"}
	frames, id, err := w.pack("execute_request", map[string]string{"code": "1 < 2"})
	if err != nil {
		t.Fatal(err)
	}
	// As printf '{}{}{}{}' | openssl dgst -sha256 -hmac key has it.
	empty := []byte("{}")
	if got := string(w.sign([][]byte{empty, empty, empty, empty})); got != "ca767b02c5bc061ed184a9a029e7f93a7f2f7ed4e8fe74120fc1212f0b008fa3" {
		t.Errorf("signature %s", got)
	}
	if len(id) != 32 || string(frames[0]) != delimiter {
		t.Errorf("id %q, frames %q", id, frames)
	}
	answer := [][]byte{[]byte("a topic"), frames[0], nil, frames[2], frames[2], []byte("{}"), []byte(`{"a":1}`)}
	answer[2] = w.sign(answer[3:])
	m, err := w.unpack(answer)
	if err != nil || m.kind != "execute_request" || m.parent != id || string(m.content) != `{"a":1}` {
		t.Errorf("%+v, %v", m, err)
	}
	for i := range answer[2:] {
		forged := append([][]byte{}, answer...)
		forged[2+i] = append([]byte("x"), forged[2+i]...)
		if _, err := w.unpack(forged); err == nil {
			t.Errorf("frame %d can be forged", 2+i)
		}
	}
	if _, err := (&wire{key: []byte("another")}).unpack(answer); err == nil {
		t.Error("any key will do")
	}
}

// FuzzUnpack takes frames that are separated by a byte.
func FuzzUnpack(f *testing.F) {
	w := &wire{}
	separator := []byte{0x1f}
	for _, s := range []string{"", "<IDS|MSG>", "a\x1f<IDS|MSG>\x1f{}\x1f{}\x1f{}\x1f{}", "<IDS|MSG>\x1f{\"msg_type\":\"stream\"}\x1fnull\x1f{}\x1f{\"text\":\"x\"}", "<IDS|MSG>\x1f[]\x1f1\x1f?\x1f\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frames := bytes.Split(data, separator)
		if _, err := w.unpack(frames); err == nil && len(frames) < 6 {
			t.Errorf("%q is a message", frames)
		}
		// The same, signed as it should be.
		i := slices.IndexFunc(frames, func(f []byte) bool { return string(f) == delimiter }) + 1
		if i == 0 || len(frames) < i+4 {
			return
		}
		m, err := w.unpack(slices.Insert(frames, i, w.sign(frames[i:i+4])))
		if err == nil && !json.Valid(m.content) {
			t.Errorf("content %q", m.content)
		}
	})
}
