//go:build !unix

package cache

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
)

// identity is a digest of the file, where nothing else shows that it has changed.
func identity(path string) (string, error) {
	if _, err := isFile(path); err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x\n", sum.Sum(nil)), nil
}
