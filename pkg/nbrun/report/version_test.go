package report

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	const module = "github.com/b3771e63/prodcons"
	at := debug.Module{Path: module, Version: "v1.2.3"}
	stamp := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: "0123abcd"}, {Key: "vcs.time", Value: "2026-11-26T12:00:00Z"}, {Key: "vcs.modified", Value: modified}}
	}
	on := ", go1.26.8 " + runtime.GOOS + "/" + runtime.GOARCH
	for name, row := range map[string]struct {
		info debug.BuildInfo
		want string
	}{
		"a release":            {debug.BuildInfo{Main: at}, "nbrun v1.2.3"},
		"run in a checkout":    {debug.BuildInfo{Main: debug.Module{Path: module, Version: "(devel)"}}, "nbrun (devel)"},
		"a test":               {debug.BuildInfo{Main: debug.Module{Path: module}}, "nbrun (devel)"},
		"built in a checkout":  {debug.BuildInfo{Main: at, Settings: stamp("false")}, "nbrun v1.2.3, revision 0123abcd 2026-11-26T12:00:00Z"},
		"changed since":        {debug.BuildInfo{Main: at, Settings: stamp("true")}, "nbrun v1.2.3, revision 0123abcd 2026-11-26T12:00:00Z and changes since"},
		"a tool of another":    {debug.BuildInfo{Main: debug.Module{Path: "example.org/mine"}, Deps: []*debug.Module{{Path: "x"}, &at}}, "nbrun v1.2.3"},
		"another's revision":   {debug.BuildInfo{Main: debug.Module{Path: "example.org/mine"}, Deps: []*debug.Module{&at}, Settings: stamp("false")}, "nbrun v1.2.3"},
		"without build's info": {debug.BuildInfo{}, "nbrun (devel)"},
	} {
		t.Run(name, func(t *testing.T) {
			row.info.GoVersion = "go1.26.8"
			if got := version("nbrun", &row.info); got != row.want+on {
				t.Errorf("got  %s\nwant %s", got, row.want+on)
			}
		})
	}
}
