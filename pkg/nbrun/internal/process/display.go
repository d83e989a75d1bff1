package process

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

func init() {
	// GoNB's kernel registers these too, as gonbui's callers may send them.
	gob.Register(map[string]any{})
	gob.Register([]any{})
}

// ErrDisplay is wrapped by the errors for what a program sends through gonbui's pipe
// and nobody can read.
var ErrDisplay = errors.New("what the program sent to be displayed can't be read")

// Limits of what a program may send through gonbui's pipe.
const (
	// MaxDisplay is the largest display that is shown, in bytes.
	MaxDisplay = 8 << 20
	// maxValues is how much of it may be neither text nor bytes. Decoded, lists may
	// need seventy times as much memory.
	maxValues  = 1 << 20
	maxTypes   = 64 << 10 // bytes that define types; gonbui sends less than one KiB
	maxNested  = 50_000   // lists and maps in one display; decoding each takes stack
	maxAnswers = 16 << 20 // bytes of answers that the program does not read
	maxMessage = 8 << 30  // gob's own limit, beyond which a length is no length
)

// displays decodes what gonbui sends: a stream of gob, whose messages each begin with
// their length, and define a type or hold a value, or part of one. gob's decoder waits
// until it has a whole value, and only it knows where one ends; so it takes turns with
// the goroutine that feeds it. It is fed whole messages, and so never sees a false
// length.
type displays struct {
	encoder *gob.Encoder // to the process
	back    *bytes.Buffer
	put     func(event.Output) error

	raw    []byte       // not yet a whole message
	skip   uint64       // how much of a display that is too large is still to come
	types  int          // bytes that have defined types
	size   uint64       // of the value that is being read,
	nested int          // and the lists and maps in it
	cut    bool         // the last message ended where the next goes on with a map
	fed    bytes.Buffer // to the decoder
	turn   func() (error, bool)
	close  func()           // ends the decoder
	hungry func(error) bool // for the decoder: it has used all it was fed, or has failed
	closed bool
	err    error
}

func newDisplays(put func(event.Output) error, back *bytes.Buffer) *displays {
	d := &displays{put: put, back: back, encoder: gob.NewEncoder(back)}
	d.turn, d.close = iter.Pull(func(yield func(error) bool) {
		d.hungry = yield
		d.decode()
	})
	_, _ = d.turn()
	return d
}

// add takes bytes from the pipe, and returns when all displays that are complete by
// then have been passed on.
func (d *displays) add(p []byte) error {
	if d.err == nil {
		d.err = d.take(p)
	}
	return d.err
}

func (d *displays) take(p []byte) error {
	n := min(d.skip, uint64(len(p)))
	d.skip -= n
	d.raw = append(d.raw, p[n:]...)
	for len(d.raw) > 0 {
		m, ok := messageOf(d.raw)
		switch {
		case !ok:
			return nil
		case m.length == 0 || m.length > maxMessage:
			return fmt.Errorf("%w: a message of %d bytes", ErrDisplay, m.length)
		case m.isType && m.length > maxTypes:
			return fmt.Errorf("%w: a type of %d bytes", ErrDisplay, m.length)
		case m.length > MaxDisplay || m.length > maxValues && uint64(len(d.raw)) >= m.size() && !mostlyText(d.raw[m.head:m.size()]):
			n := min(m.size(), uint64(len(d.raw)))
			d.raw, d.skip = d.raw[n:], m.size()-n
			if err := d.put(tooLarge(m.length)); err != nil {
				return err
			}
			continue
		case uint64(len(d.raw)) < m.size():
			return nil
		}
		if err := d.feed(m, d.raw[:m.size()]); err != nil {
			return err
		}
		d.raw = d.raw[m.size():]
	}
	d.raw = nil // to be freed
	return nil
}

// feed passes a message to the decoder.
func (d *displays) feed(m message, p []byte) error {
	if m.isType {
		d.types += len(p)
	}
	d.size += m.length
	d.nested += bytes.Count(p, []byte("interface {}"))
	switch {
	case d.types > maxTypes:
		return fmt.Errorf("%w: %d bytes of type definitions", ErrDisplay, d.types)
	case d.size > MaxDisplay+maxTypes:
		return fmt.Errorf("%w: it is larger than %d MiB", ErrDisplay, MaxDisplay>>20)
	case d.nested > maxNested:
		return fmt.Errorf("%w: it has more than %d lists and maps", ErrDisplay, maxNested)
	case !m.isType && d.tooManyIn(p[m.head:]):
		return fmt.Errorf("%w: it has a map that says it is larger than the display", ErrDisplay)
	}
	d.fed.Write(p)
	err, _ := d.turn()
	if d.fed.Cap() > maxTypes {
		d.fed = bytes.Buffer{} // to be freed
	}
	return err
}

// decode decodes and handles its input, until it fails or is ended.
func (d *displays) decode() {
	decoder := gob.NewDecoder(d)
	for {
		d.size, d.nested, d.cut = 0, 0, false
		// With maps that are there, gob makes no room for what is said to be in them.
		data := protocol.DisplayData{Data: map[protocol.MIMEType]any{}, Metadata: map[string]any{}}
		err := decoder.Decode(&data)
		if d.closed {
			return // perhaps within a value that the process did not finish
		}
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrDisplay, err)
		} else {
			err = d.handle(&data)
		}
		if err != nil {
			d.hungry(err)
			return
		}
	}
}

// Read is for the decoder.
func (d *displays) Read(p []byte) (int, error) {
	if d.fed.Len() == 0 && !d.hungry(nil) {
		d.closed = true
		return 0, io.EOF
	}
	return d.fed.Read(p)
}

// ReadByte is for the decoder, which has no buffer of its own then.
func (d *displays) ReadByte() (byte, error) {
	var p [1]byte
	_, err := d.Read(p[:])
	return p[0], err
}

// tooLarge is shown in place of a display.
func tooLarge(size uint64) event.Output {
	return event.Output{Kind: event.Stream, Name: "stderr", Text: fmt.Sprintf("[nbrun: a display of %d MiB is not shown; the most is %d MiB, and %d MiB of lists and numbers]\n", size>>20, MaxDisplay>>20, maxValues>>20)}
}

// message is the beginning of a message: an unsigned integer, the length of the rest,
// which begins with the number of a type, negative for one that is being defined.
type message struct {
	head   int // bytes of the length itself
	length uint64
	isType bool
}

func (m message) size() uint64 { return uint64(m.head) + m.length }

// messageOf reads the beginning of a message, and reports whether it is complete. An
// impossible length is 0.
func messageOf(p []byte) (m message, ok bool) {
	m.head, m.length, ok = unsigned(p)
	if !ok || m.length == 0 {
		return m, ok
	}
	_, id, ok := unsigned(p[m.head:])
	m.isType = id&1 != 0 // gob keeps the sign of an integer there
	return m, ok
}

// mostlyText reports whether a value, or at least the beginning of a
// protocol.DisplayData, is large only because of texts and bytes.
func mostlyText(p []byte) bool {
	rest := len(p)
	w := walker{p, true}
	w.number()          // the type's
	field := w.number() // the first is Data
	entries := w.number()
	for ; field == 1 && entries > 0 && w.ok; entries-- {
		w.bytes() // the MIME type
		kind := string(w.bytes())
		w.number() // the type's
		value := walker{w.bytes(), w.ok}
		value.number() // 0, which stands before all that is no struct
		content := value.bytes()
		// The decoder will trust the same lengths, or this is no text.
		if (kind == "string" || kind == "[]uint8") && w.ok && value.ok && len(value.p) == 0 {
			rest -= len(content)
		}
	}
	return rest <= maxValues
}

// mapTypes are the names of all maps that may be in a value that is sent. gob makes room
// for as many entries as such a map says it has, before it has seen one of them.
var mapTypes = [...]string{"map[string]interface {}", "map[string]int", "map[string]float64", "map[string]string"}

// tooManyIn reports whether a map in a message says that it has more entries than there
// are bytes left. Where gob writes a map's name, and what it writes behind it, stands
// there, it is taken for a map; nobody puts that into a text.
func (d *displays) tooManyIn(p []byte) bool {
	if w := (walker{p, true}); d.cut && w.tooMany() {
		return true
	}
	d.cut = false
	for _, name := range mapTypes {
		written := append([]byte{byte(len(name))}, name...)
		for rest := p; ; {
			_, after, found := bytes.Cut(rest, written)
			if !found {
				break
			}
			w := walker{after, true}
			if w.definition(); w.ok && len(w.p) == 0 {
				d.cut = true
			} else if w.tooMany() {
				return true
			}
			rest = after
		}
	}
	return false
}

// walker goes through a value of gob. It stays where it is once it is no longer ok.
type walker struct {
	p  []byte
	ok bool
}

func (w *walker) number() uint64 {
	size, n, ok := unsigned(w.p)
	if w.ok = w.ok && ok && 0 < size && size <= len(w.p); !w.ok {
		return 0
	}
	w.p = w.p[size:]
	return n
}

// bytes returns the bytes that follow their number.
func (w *walker) bytes() []byte {
	n := w.number()
	if w.ok = w.ok && n <= uint64(len(w.p)); !w.ok {
		return nil
	}
	b := w.p[:n]
	w.p = w.p[n:]
	return b
}

// is goes on by numbers that must be these.
func (w *walker) is(numbers ...uint64) {
	for _, n := range numbers {
		w.ok = w.number() == n && w.ok
	}
}

// definition goes on behind the definition of a map's type, if there is one, as there is
// behind its first name. A message may end there; else the length of the rest follows.
func (w *walker) definition() {
	before := *w
	if id := w.number(); id&1 == 0 {
		*w = before
		return
	}
	w.is(4, 1) // the fields of a wireType and a mapType
	field := w.number()
	if field == 1 {
		w.bytes() // the name, which may be left out
		field += w.number()
	}
	w.ok = w.ok && field == 2
	w.number() // the type's
	w.is(0, 1)
	w.number() // the keys' type
	w.is(1)
	w.number() // the values' type
	w.is(0, 0)
	if len(w.p) > 0 {
		w.number()
	}
}

// tooMany goes to the first entry of a map, and reports whether there are said to be
// more than there is room for.
func (w *walker) tooMany() bool {
	id := w.number()
	w.number() // bytes that follow
	w.is(0)    // stands before all that is no struct
	n := w.number()
	return w.ok && id&1 == 0 && n > uint64(len(w.p))
}

// unsigned reads an unsigned integer as gob writes it: up to 127 in one byte, otherwise
// big-endian, after a byte with the negated number of its bytes.
func unsigned(p []byte) (size int, n uint64, ok bool) {
	if len(p) == 0 {
		return 0, 0, false
	}
	if p[0] < 0x80 {
		return 1, uint64(p[0]), true
	}
	size = 1 + int(-int8(p[0]))
	if size > 9 || size < 2 {
		return size, 0, true // none is that long
	}
	if len(p) < size {
		return 0, 0, false
	}
	for _, b := range p[1:size] {
		n = n<<8 | uint64(b)
	}
	return size, n, true
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
		if d.back.Len() > maxAnswers {
			return fmt.Errorf("%w: the program does not read the answers to it", ErrDisplay)
		}
		return d.encoder.Encode(&protocol.CommValue{Address: protocol.GonbuiSyncAckAddress, Value: comm.Value})
	}
	if _, ok := data.Data[protocol.MIMECommSubscribe]; ok {
		return ErrNeedsBrowser
	}
	bundle, metadata := map[string]any{}, map[string]any{}
	var err error
	for mime, content := range data.Data {
		if bundle[string(mime)], err = plain(content); err != nil {
			return err
		}
	}
	for key, content := range data.Metadata {
		if metadata[key], err = plain(content); err != nil {
			return err
		}
	}
	return d.put(event.Output{Kind: event.Display, Data: bundle, Metadata: metadata, ID: data.DisplayID})
}

// plain returns content as JSON has it. Bytes become base64, as Jupyter expects.
func plain(content any) (any, error) {
	switch c := content.(type) {
	case string:
		return c, nil
	case []byte:
		return base64.StdEncoding.EncodeToString(c), nil
	}
	var p any
	text, err := json.Marshal(content)
	if err == nil {
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		err = dec.Decode(&p)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: it is not JSON: %w", ErrDisplay, err)
	}
	return p, nil
}
