// Package cache says where things are in the user's cache: what is built for the
// notebook of a folder, the kernel, Jupyter's environment. It alone owns that layout,
// decides what of it is trusted, and limits its size.
//
// What is there is not trusted: it may be damaged, or somebody may have put it there. A
// folder that another user could have filled is not used ([Trusted]), a file is used
// only if it is as it was when it was built ([Sealed]), and whatever is in the way of a
// folder or file is removed ([Folder], [WriteFile]).
package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
)

// Kind is a kind of thing that is kept.
type Kind string

// The kinds, by the beginning of their folders' names.
const (
	Programs Kind = "gonb_"   // of the cells of one notebook, by its path
	Kernel   Kind = "kernel_" // and its tools
	// Overlay has files of the standard library that programs are built with, not in
	// the place where a go command would look for packages.
	Overlay Kind = "_gob_"
	Lab     Kind = "lab"    // what JupyterLab keeps, one for all
	Gopls   Kind = "gopls_" // by its version and that of Go
	Failed  Kind = "failed" // notes of what failed last time, one folder for all
	Book    Kind = "book_"  // what pages run cells with, by the Go that it is made of
)

// root is the folder of the whole cache. It need not exist.
func root() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "nbrun"), nil
}

// ID is a short name that tells one thing of a kind from the others.
func ID(what ...string) string {
	sum := sha256.New()
	for _, w := range what {
		sum.Write([]byte(w))
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}

// Dir is the folder of the thing with that kind and ID.
func Dir(kind Kind, id string) (string, error) {
	dir, err := root()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, string(kind)+id), nil
}
