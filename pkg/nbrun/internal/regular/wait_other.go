//go:build !unix

package regular

// withoutWaiting is for systems whose folders have named pipes.
const withoutWaiting = 0
