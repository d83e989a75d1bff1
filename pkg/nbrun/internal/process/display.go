package process

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"errors"
	"fmt"
	"io"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

func init() {
	// GoNB's kernel registers these too, as gonbui's callers may send them.
	gob.Register(map[string]any{})
	gob.Register([]any{})
}

// displays decodes what gonbui sends. gob's decoder blocks until it has a whole
// value, and only it knows where a value ends; so it runs in a goroutine of its
// own, in turns with the one that feeds it.
type displays struct {
	encoder *gob.Encoder // to the process
	put     func(event.Output) error

	fed    chan []byte
	hungry chan error // the decoder has used all it was fed; or an error, its last word
	buf    []byte
	err    error
}

func newDisplays(put func(event.Output) error, back *bytes.Buffer) *displays {
	d := &displays{put: put, encoder: gob.NewEncoder(back), fed: make(chan []byte), hungry: make(chan error, 1)}
	go d.decode()
	<-d.hungry
	return d
}

// add takes bytes from the pipe, and returns when all displays that are complete
// by then have been handed on.
func (d *displays) add(p []byte) error {
	if d.err == nil {
		d.fed <- p
		d.err = <-d.hungry
	}
	return d.err
}

// close ends the decoder.
func (d *displays) close() { close(d.fed) }

func (d *displays) decode() {
	decoder := gob.NewDecoder(d)
	for {
		var data protocol.DisplayData
		err := decoder.Decode(&data)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return // closed, perhaps within a value that the process did not finish
		}
		if err != nil {
			err = fmt.Errorf("display sent by the program can't be read: %w", err)
		} else {
			err = d.handle(&data)
		}
		if err != nil {
			d.hungry <- err
			return
		}
	}
}

// Read is for the decoder.
func (d *displays) Read(p []byte) (int, error) {
	if len(d.buf) == 0 {
		d.hungry <- nil
		buf, ok := <-d.fed
		if !ok {
			return 0, io.EOF
		}
		d.buf = buf
	}
	n := copy(p, d.buf)
	d.buf = d.buf[n:]
	return n, nil
}

func (d *displays) handle(data *protocol.DisplayData) error {
	if _, ok := data.Data[protocol.MIMEJupyterInput]; ok {
		return ErrNeedsInput
	}
	if v, ok := data.Data[protocol.MIMECommValue]; ok {
		comm, ok := v.(protocol.CommValue)
		if !ok || comm.Address != protocol.GonbuiSyncAddress {
			return ErrNeedsBrowser
		}
		return d.encoder.Encode(&protocol.CommValue{Address: protocol.GonbuiSyncAckAddress, Value: comm.Value})
	}
	if _, ok := data.Data[protocol.MIMECommSubscribe]; ok {
		return ErrNeedsBrowser
	}
	bundle := map[string]any{}
	for mime, content := range data.Data {
		if b, ok := content.([]byte); ok {
			content = base64.StdEncoding.EncodeToString(b)
		}
		bundle[string(mime)] = content
	}
	metadata := data.Metadata
	if metadata == nil {
		metadata = map[string]any{}
	}
	return d.put(event.Output{Kind: event.Display, Data: bundle, Metadata: metadata, ID: data.DisplayID})
}
