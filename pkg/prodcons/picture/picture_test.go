package picture_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
	"github.com/b3771e63/prodcons/pkg/prodcons/picture"
)

// run makes the record of a run whose items wait for what is given.
func run(t *testing.T, name string, producers, consumers int, waits ...time.Duration) *prodcons.Record {
	t.Helper()
	var events []prodcons.Event
	for i, w := range waits {
		e := prodcons.Event{Kind: prodcons.ItemMade, At: time.Duration(i) * time.Second, Producer: i%producers + 1, Number: i}
		events = append(events, e)
		e.Kind, e.At, e.Consumer, e.Latency = prodcons.ItemPickedUp, e.At+w, i%consumers+1, w
		events = append(events, e)
		e.Kind, e.At, e.Latency = prodcons.ItemUsed, e.At+500*time.Millisecond, 0
		events = append(events, e)
	}
	slices.SortStableFunc(events, func(a, b prodcons.Event) int { return int(a.At - b.At) })
	data, err := json.Marshal(map[string]any{"name": name, "total": 20 * time.Second, "events": events})
	if err != nil {
		t.Fatal(err)
	}
	var r prodcons.Record
	if err := r.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return &r
}

// A record that goes on for long forgets its beginning.
func TestAPictureOfTheEndOfALongRun(t *testing.T) {
	r := run(t, "long", 2, 2, 0, time.Second, 0, 2*time.Second, time.Second, 0)
	for n := len(r.Events()); n > 0; n -= 5 {
		r.Keep(n)
		if _, err := picture.Draw(r); err != nil {
			t.Errorf("%d events: %v", n, err)
		}
	}
}

func TestAPictureIsSVGAndPNGAndASentence(t *testing.T) {
	p, err := picture.Draw(run(t, "two & <two>", 2, 2, 0, time.Second, 0, 2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(p.PNG))
	if err != nil {
		t.Fatal(err)
	}
	if w := img.Bounds().Dx(); w != 2*picture.Width {
		t.Errorf("%d pixels wide, want %d", w, 2*picture.Width)
	}
	// The colours of the marks are there, on a white page.
	seen := map[[3]uint32]int{}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, _ := img.At(x, y).RGBA()
			seen[[3]uint32{r >> 8, g >> 8, b >> 8}]++
		}
	}
	for name, c := range map[string][3]uint32{"white": {255, 255, 255}, "yellow": {0xe6, 0xa8, 0}, "cyan": {0, 0x8b, 0xa3}} {
		if seen[c] < 100 {
			t.Errorf("%d pixels are %s", seen[c], name)
		}
	}
	dec := xml.NewDecoder(bytes.NewReader(p.SVG))
	text := ""
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("SVG: %v", err)
		}
		if c, ok := tok.(xml.CharData); ok {
			text += string(c)
		}
	}
	for _, want := range []string{"two & <two>: total 20.0 s, mean wait 0.75 s", "producer 2", "consumer 1"} {
		if !strings.Contains(text, want) {
			t.Errorf("SVG has no %q in it", want)
		}
	}
	want := `Picture of the run "two & <two>": 2 consumers use 4 items of 2 producers in 20.0 s. From its creation to its pick-up an item waits 0.75 s on average, at least 0.00 s and at most 2.00 s.`
	if p.Sentence != want {
		t.Errorf("the sentence is\n%s\nwant\n%s", p.Sentence, want)
	}
}

func TestTheQueueIsDrawnWhereItMatters(t *testing.T) {
	short, err := picture.Draw(run(t, "short", 1, 1, 0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	long, err := picture.Draw(run(t, "long", 1, 1, 10*time.Second, 9*time.Second, 8*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(short.SVG, []byte("in queue")) || !bytes.Contains(long.SVG, []byte("in queue")) {
		t.Error("the queue should be drawn for the long run only")
	}
}

// What was given back has two bars, and in between it is in the queue.
func TestAnItemThatIsPickedUpTwice(t *testing.T) {
	record := prodcons.NewRecord("twice", nil)
	for i, e := range []prodcons.Event{
		{Kind: prodcons.ItemMade},
		{Kind: prodcons.ItemPickedUp, Consumer: 1},
		{Kind: prodcons.ItemLeft, Consumer: 1},
		{Kind: prodcons.ItemPickedUp, Consumer: 2},
		{Kind: prodcons.ItemUsed, Consumer: 2},
	} {
		e.At, e.Producer, e.Number = time.Duration(i)*time.Second, 1, 1
		record.Observe(e)
	}
	p, err := picture.Draw(record)
	if err != nil {
		t.Fatal(err)
	}
	once, err := picture.Draw(run(t, "once", 1, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	bars := func(p picture.Picture) int { return bytes.Count(p.SVG, []byte("fill:#008BA3")) }
	if bars(once) == 0 || bars(p) != 2*bars(once) {
		t.Errorf("%d bars, and of an item that is used at once %d", bars(p), bars(once))
	}
}

func TestTheSameRunGivesTheSamePicture(t *testing.T) {
	r := run(t, "same", 1, 2, time.Second, 0, 3*time.Second)
	a, err := picture.Draw(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := picture.Draw(r)
	if err != nil || !bytes.Equal(a.SVG, b.SVG) || !bytes.Equal(a.PNG, b.PNG) {
		t.Error("two pictures of one run differ", err)
	}
}

func TestRunsOfNothingAndOfUnfinishedItemsAreDrawn(t *testing.T) {
	empty := prodcons.NewRecord("empty", time.Now)
	half := prodcons.NewRecord("half", time.Now)
	half.PickedUp(1, half.Made(1))
	half.Made(1)
	for _, r := range []*prodcons.Record{empty, half} {
		p, err := picture.Draw(r)
		if err != nil || len(p.PNG) == 0 || bytes.Contains(p.SVG, []byte("NaN")) {
			t.Errorf("%s: %v, %d bytes", r.Name(), err, len(p.PNG))
		}
	}
}

func ExampleShow() {
	r := prodcons.NewRecord("example", time.Now)
	r.End()
	picture.Show(r) // outside a notebook, in words
	// Output: Picture of the run "example": 1 consumer uses 0 items of 1 producer in 0.0 s.
}
