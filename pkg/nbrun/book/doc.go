// Package book turns GoNB notebooks into pages that need no server and nothing
// installed: they can be read without JavaScript, and with it their cells are edited,
// compiled and run in the page, by Go's own compiler and linker as WebAssembly, on Go's
// fake clock. What they put out is replayed at the times of the cells' own clock.
//
// The parts: toolchain.go and overlay.go make the compiler, the linker and the package
// archives from the user's Go, and instances.go what cells would otherwise be compiled
// with each time; page.go makes the pages, with package render; assets is what runs in
// the browser, with the programs core and inpage, which drive the cells there.
//
// What the first run loads, in MB as gzip -9 packs it (Go 1.26.8). The overlays leave
// out code that is not used: before and after the last two steps the tools build the
// same programs, byte for byte.
//
//	                                          compiler  linker
//	Go's own, -trimpath -s -w                      9.4     2.9
//	one architecture's code generator, no inlining
//	  in the compiler                              5.8     2.6
//	no other architectures' encoders and tables    5.0     2.6
//	no other systems' formats, debug information,
//	  profiles, JSON, section of names             4.8     1.6
//
// Core adds 2.1, and the packages that a program imports add 4.2 for fmt, 6.4 for a
// lesson's story, 6.5 for one with pictures. That makes 12.7 for fmt and 15.0 for a
// story with pictures. A test holds what all cells of a lesson load, with the page, below
// 16: it is 15.9 in lessons 7 and 10, which import package testing, and less in the
// others.
//
// Where the time goes, in ms, in Chromium on 2 cores (medians of 5 rounds of the benchmark
// Readers in folder browser, which prints this; the page's user timings are its source):
//
//	                 first cell, cold   second   edited, from the third on
//	load compiler                 520        -        -
//	load linker                   280        -        -
//	load packages                 380        0        0
//	compile                       300      100       80
//	link                          650      320      300
//	load program                   10       10       10
//	run program                    30       30       50
//	in all, to the first line    1950      490      510
//
// Everything is loaded side by side. Later on the linker takes most of the time: it
// reads and writes the whole program each time, which an interpreter need not do.
//
// The slowest cell of each lesson to show its first line after an edit, in ms, in the
// benchmark Edits: 600, 550, 600, 700, 610, 610 and 740 in lessons 1 to 7, and 850 in 8,
// whose cells use a Group: 360 of them are the compiler's. It took 3940 when each cell
// was compiled together with the instances of generic types that it uses.
package book
