package book

import (
	"fmt"
	"testing"
)

func TestArchivesWithoutExports(t *testing.T) {
	file := func(name, text string) string {
		pad := ""
		if len(text)%2 == 1 {
			pad = "\n"
		}
		return fmt.Sprintf("%-48s%-10d`\n%s%s", name, len(text), text, pad)
	}
	const magic = "!<arch>\n"
	object := file("_go_.o", "code")
	for name, test := range map[string]struct{ archive, want, err string }{
		"even":          {magic + file("__.PKGDEF", "even") + object, magic + object, ""},
		"odd":           {magic + file("__.PKGDEF", "odd") + object, magic + object, ""},
		"no exports":    {magic + object, "", "an archive does not begin with its export data"},
		"no archive":    {"go object", "", "an archive does not begin with its export data"},
		"cut in a head": {magic + "__.PKGDEF ", "", "an archive does not begin with its export data"},
		"cut off":       {magic + file("__.PKGDEF", "exports")[:62], "", "an archive is damaged"},
		"no size":       {magic + fmt.Sprintf("%-60s", "__.PKGDEF"), "", "an archive is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := withoutExports([]byte(test.archive))
			if string(got) != test.want || (err != nil || test.err != "") && fmt.Sprint(err) != test.err {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}
