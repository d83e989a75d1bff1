package process

import (
	"bytes"
	"encoding/gob"
	"testing"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

func TestDisplaysAreDecodedInPiecesOfAnySize(t *testing.T) {
	var sent bytes.Buffer
	enc := gob.NewEncoder(&sent)
	for i := range 3 {
		if err := enc.Encode(&protocol.DisplayData{
			Data:     map[protocol.MIMEType]any{protocol.MIMEImagePNG: bytes.Repeat([]byte{byte(i)}, 70_000), protocol.MIMETextPlain: "x"},
			Metadata: map[string]any{"image/png": map[string]any{"width": 3}},
		}); err != nil {
			t.Fatal(err)
		}
		if err := enc.Encode(&protocol.DisplayData{Data: map[protocol.MIMEType]any{
			protocol.MIMECommValue: &protocol.CommValue{Address: protocol.GonbuiSyncAddress, Value: i},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, size := range []int{1, 7, 4096, sent.Len()} {
		var got []event.Output
		var back bytes.Buffer
		d := newDisplays(func(o event.Output) error { got = append(got, o); return nil }, &back)
		defer d.close()
		for p := sent.Bytes(); len(p) > 0; p = p[min(size, len(p)):] {
			if err := d.add(p[:min(size, len(p))]); err != nil {
				t.Fatalf("pieces of %d: %v", size, err)
			}
		}
		if len(got) != 3 {
			t.Errorf("pieces of %d: %d displays, want 3", size, len(got))
		}
		dec := gob.NewDecoder(&back)
		for i := range 3 {
			var ack protocol.CommValue
			if err := dec.Decode(&ack); err != nil || ack.Address != protocol.GonbuiSyncAckAddress || ack.Value != i {
				t.Errorf("pieces of %d: ack %d is %+v, %v", size, i, ack, err)
			}
		}
	}
}
