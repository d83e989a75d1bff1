package cache

import "os"

// SealExt is the extension of the file that holds a seal.
const SealExt = ".seal"

// Seal notes beside the file what it is like. Call it after the file was built, or
// found to be what it should be.
func Seal(path string) error {
	is, err := identity(path)
	if err != nil {
		return err
	}
	return WriteFile(path+SealExt, is)
}

// Sealed reports whether the file is as it was when it was sealed. Otherwise it must
// not be trusted.
func Sealed(path string) bool {
	is, err := identity(path)
	return err == nil && Has(path+SealExt, is)
}

// Unseal removes a file, or whatever is there in its place, with its seal.
func Unseal(path string) error {
	_ = Remove(path + SealExt)
	return Remove(path)
}

// isFile is Lstat for what must be a file.
func isFile(path string) (os.FileInfo, error) {
	info, err := os.Lstat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = &os.PathError{Op: "open", Path: path, Err: os.ErrInvalid}
	}
	return info, err
}
