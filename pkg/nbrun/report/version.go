package report

import (
	"cmp"
	"runtime"
	"runtime/debug"
	"strings"
)

// Version says in a line what a command was built from: its name, the version of this
// module, the revision in version control if that is known, and Go's version. A command
// run by go run from a working copy knows no revision.
func Version(command string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return version(command, info)
}

func version(command string, info *debug.BuildInfo) string {
	own := info.Main
	for _, m := range info.Deps {
		if m.Path == "github.com/b3771e63/prodcons" { // the command is a tool of another module
			own = *m
		}
	}
	line := command + " " + cmp.Or(own.Version, "(devel)")
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if revision := settings["vcs.revision"]; revision != "" && own == info.Main {
		line += ", " + strings.TrimSpace("revision "+revision+" "+settings["vcs.time"])
		if settings["vcs.modified"] == "true" {
			line += " and changes since"
		}
	}
	return line + ", " + cmp.Or(info.GoVersion, runtime.Version()) + " " + runtime.GOOS + "/" + runtime.GOARCH
}
