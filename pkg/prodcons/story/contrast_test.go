package story_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/b3771e63/prodcons/pkg/prodcons/story"
)

// luminance is how light one of the 256 colours of a terminal is, from 0 to 1, as
// defined by WCAG. The first 16 are a theme's own, and of no use here.
func luminance(t *testing.T, number int) float64 {
	t.Helper()
	var red, green, blue int
	level := func(n int) int {
		if n == 0 {
			return 0
		}
		return 55 + 40*n
	}
	switch {
	case number < 16 || number > 255:
		t.Fatalf("colour %d is a theme's own", number)
	case number < 232:
		n := number - 16
		red, green, blue = level(n/36), level(n/6%6), level(n%6)
	default:
		red = 8 + 10*(number-232)
		green, blue = red, red
	}
	linear := func(c int) float64 {
		v := float64(c) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(red) + 0.7152*linear(green) + 0.0722*linear(blue)
}

func contrast(a, b float64) float64 { return (max(a, b) + 0.05) / (min(a, b) + 0.05) }

// Coloured text has a background of its own, so its contrast is the same on a white
// page and on a black one.
func TestColouredTextCanBeReadAndToldApartInGrey(t *testing.T) {
	ground := map[string]float64{}
	for name, style := range story.Styles {
		var letters, behind int
		if _, err := fmt.Sscanf(style, "38;5;%d;48;5;%d", &letters, &behind); err != nil {
			t.Fatalf("%s is %q: %v", name, style, err)
		}
		ground[name] = luminance(t, behind)
		if c := contrast(luminance(t, letters), ground[name]); c < 4.5 {
			t.Errorf("%s has a contrast of %.1f, want 4.5 or more", name, c)
		}
	}
	if c := contrast(ground["yellow"], ground["cyan"]); c < 3 {
		t.Errorf("in grey, yellow and cyan have a contrast of %.1f, want 3 or more", c)
	}
}
