package main

import (
	"flag"
	"slices"
	"testing"
)

func TestEveryFlagIsInOneGroup(t *testing.T) {
	f := flag.NewFlagSet("", flag.ContinueOnError)
	(&command{reports: map[string]string{}}).define(f)
	var grouped, defined []string
	for _, g := range groups() {
		grouped = append(grouped, g.flags...)
	}
	f.VisitAll(func(f *flag.Flag) { defined = append(defined, f.Name) })
	slices.Sort(grouped)
	if !slices.Equal(grouped, defined) {
		t.Errorf("defined are %v, and grouped %v", defined, grouped)
	}
}
