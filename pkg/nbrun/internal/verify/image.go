package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
)

// grown is how far the size of the image may be from what is written down, as a factor.
const grown = 1.25

var (
	measured = regexp.MustCompile(`(?m)^(\d+)\t\.$`)
	gigabyte = regexp.MustCompile(`It is ([\d.]+) GB unpacked`)
)

// image compares the size of the whole image, the line of "." in what du -m says, with
// that in the README.
func image(out io.Writer, paths []string) error {
	var size [2]float64
	for i, of := range []*regexp.Regexp{measured, gigabyte} {
		data, err := os.ReadFile(paths[i])
		if err != nil {
			return err
		}
		m := of.FindSubmatch(data)
		if m == nil {
			return fmt.Errorf("%s: gives no size", paths[i])
		}
		if size[i], err = strconv.ParseFloat(string(m[1]), 64); err != nil {
			return err
		}
	}
	is, says := size[0]/1000, size[1]
	fmt.Fprintf(out, "the image has %.2f GB, in the README %.2f\n", is, says)
	return asWritten("the image", " GB", is, says, grown, paths[1])
}
