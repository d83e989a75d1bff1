//go:build !race

package nbrun_test

const raceEnabled = false
