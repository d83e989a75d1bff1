package picture_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"regexp"
	"slices"
	"strconv"
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

// inked counts pixels in the colour of words in rows of an image.
func inked(img image.Image, from, to int) (n int) {
	for y := from; y < to; y++ {
		for x := range img.Bounds().Dx() {
			if r, g, b, a := img.At(x, y).RGBA(); r>>8 == 0x79 && r == g && g == b && a == 0xffff {
				n++
			}
		}
	}
	return n
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
	// The colours of the marks are there, on a ground that lets the page through.
	seen := map[[4]uint32]int{}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, a := img.At(x, y).RGBA()
			seen[[4]uint32{r >> 8, g >> 8, b >> 8, a >> 8}]++
		}
	}
	if words := inked(img, 0, 2*30); words < 1000 {
		t.Errorf("%d pixels of the title", words)
	}
	if words := inked(img, img.Bounds().Dy()-2*30, img.Bounds().Dy()); words < 1000 {
		t.Errorf("%d pixels of the legend", words)
	}
	for name, c := range map[string][4]uint32{"ground": {}, "yellow": {0xe6, 0xa8, 0, 255}, "cyan": {0, 0x8b, 0xa3, 255}} {
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
	for _, want := range []string{"two & <two>: total 20.0 s, mean wait 0.75 s", "producer 2", "consumer 1", "made", "waiting", "at work", "end"} {
		if !strings.Contains(text, want) {
			t.Errorf("SVG has no %q in it", want)
		}
	}
	want := `Picture of the run "two & <two>": 2 consumers use 4 items of 2 producers in 20.0 s. An item waits 0.75 s for its pick-up on average, at least 0.00 s and at most 2.00 s.`
	if p.Sentence != want {
		t.Errorf("the sentence is\n%s\nwant\n%s", p.Sentence, want)
	}
	for _, line := range strings.Split(p.Sentence, ". ") {
		if len(line) > 95 {
			t.Errorf("a line of the caption has %d letters, and breaks in the middle of a word: %s", len(line), line)
		}
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
	if !bytes.Contains(long.SVG, []byte(">4</text>")) {
		t.Error("three items lie in the queue, and its axis ends before that")
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
	bars := func(p picture.Picture) int { return bytes.Count(p.SVG, []byte(`fill="#008ba3"`)) }
	if bars(once) == 0 || bars(p)-1 != 2*(bars(once)-1) { // one is the legend's
		t.Errorf("%d bars, and of an item that is used at once %d", bars(p), bars(once))
	}
}

// Letters are 22 pixels high where the picture is 768 wide, so more than 10 where it
// is 368 wide.
func TestLettersAreLargeEnoughForATelephone(t *testing.T) {
	p, err := picture.Draw(run(t, "small", 3, 1, 10*time.Second, 9*time.Second, 8*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	sizes := regexp.MustCompile(`font-size="([\d.]+)"`).FindAllSubmatch(p.SVG, -1)
	view := regexp.MustCompile(`viewBox="0 0 ([\d.]+) `).FindSubmatch(p.SVG)
	if len(sizes) == 0 || view == nil {
		t.Fatalf("no letters, or no size: %.300s", p.SVG)
	}
	width, _ := strconv.ParseFloat(string(view[1]), 64)
	for _, size := range sizes {
		if px, _ := strconv.ParseFloat(string(size[1]), 64); px/width*368 < 10 {
			t.Errorf("letters of %.1f pixels at a width of 368", px/width*368)
		}
	}
}

// Whatever a run is called, its picture is XML that a parser takes.
func TestOddNames(t *testing.T) {
	for _, name := range []string{"", "\x00\x1b[1m\a", "a\nb\tc", "\xff\xfe", "\uFFFE\uFFFF", "<script>&amp;]]>\"'", "日本語 🙂", strings.Repeat("long ", 100)} {
		p, err := picture.Draw(run(t, name, 1, 1, 0))
		if err != nil {
			t.Fatal(err)
		}
		dec := xml.NewDecoder(bytes.NewReader(p.SVG))
		for err == nil {
			_, err = dec.Token()
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// A deadline, what was dropped and what was left have marks and words of their own.
func TestMarks(t *testing.T) {
	record := prodcons.NewRecord("marks", nil)
	for i, e := range []prodcons.Event{
		{Kind: prodcons.ItemMade, Producer: 1, Number: 1},
		{Kind: prodcons.ItemMade, Producer: 1, Number: 2},
		{Kind: prodcons.ItemDropped, Producer: 1, Number: 1},
		{Kind: "deadline"},
	} {
		e.At = time.Duration(i) * time.Second
		record.Observe(e)
	}
	p, err := picture.Draw(record)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{">dropped<", ">left<", ">deadline<"} {
		if !bytes.Contains(p.SVG, []byte(want)) {
			t.Errorf("the picture has no %s", want)
		}
	}
	want := "1 item was dropped. 1 item was left. After 3.00 s: deadline."
	if !strings.HasSuffix(p.Sentence, want) {
		t.Errorf("the sentence is %q, want it to end in %q", p.Sentence, want)
	}
}

// What plays is the picture and a little around it, of a name of its own.
func TestAPictureThatPlays(t *testing.T) {
	names := regexp.MustCompile(`\brun[0-9a-f]{8}\b`)
	before := ""
	for _, wait := range []time.Duration{0, 9 * time.Second} { // one panel, and two
		p, err := picture.Draw(run(t, "plays", 1, 1, wait, wait, wait))
		if err != nil {
			t.Fatal(err)
		}
		svg := string(picture.Playing(p))
		dec := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in\n%s", err, svg)
			}
		}
		_, inside, _ := strings.Cut(string(p.SVG), "<g ")
		if !strings.Contains(svg, strings.TrimSuffix(inside, "</svg>\n")) {
			t.Error("the picture itself has changed")
		}
		if more := len(svg) - len(p.SVG); more > 2000 {
			t.Errorf("%d bytes more", more)
		}
		panels := 1 + strings.Count(svg, ">in queue<")
		if got := strings.Count(svg, "<rect class="); got != panels {
			t.Errorf("%d panels are covered, want %d", got, panels)
		}
		if !strings.Contains(svg, "prefers-reduced-motion:no-preference") || !strings.Contains(svg, " 8s linear") {
			t.Errorf("it always moves, or not for 8 s: %.900s", svg)
		}
		name := names.FindString(svg)
		if name == "" || name == before {
			t.Errorf("it is named %q, and the one before %q", name, before)
		}
		before = name
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

func ExampleDraw() {
	run := prodcons.NewRecord("example", nil)
	item := run.Made(1)
	run.PickedUp(1, item)
	run.Done(1, item)
	run.End()
	p, err := picture.Draw(run)
	if err != nil {
		panic(err)
	}
	fmt.Println(len(p.SVG) > 0, len(p.PNG) > 0) // two files to be written
	fmt.Println(strings.HasPrefix(p.Sentence, `Picture of the run "example": 1 consumer uses 1 item of 1 producer`))
	// Output:
	// true true
	// true
}
