// Package story is what the lessons in the folder notebooks are written with: coloured
// lines while a run goes on, a table of its numbers afterwards, and checks of what a
// lesson claims about them.
//
// # Telling
//
// A producer makes items and rests between half a second and one and a half after
// each. A consumer picks items up and works on each for half a second. A [Story] has
// them sleep and speak, and keeps the record of what they do:
//
//	run := story.Start("synchronous", speed)
//	producer, consumer := run.Producer(1), run.Consumer(1)
//	item := producer.Make(49) // yellow:  -- producer 1 generated item 1 (value 49)
//	consumer.PickUp(item)     // cyan:    +++ consumer 1 processed item 1 of producer 1 (value 49) after 0.00 sec.
//	consumer.Work()
//	run.End()                 // bold:   App exiting, total time: 0.50 sec.
//
// What lies between the two, a slice, a channel or a queue of package prodcons, is up
// to the caller. [StartQuiet] is for a story that only keeps its record.
//
// All times are in story seconds. At a speed of 10 a story second takes a tenth of a
// real one, and the numbers stay the same. A [Pace] is that rhythm; it draws the rests
// from a seed, so that all versions of the story have the same ones and differ only in
// how the items are handed over.
//
// # Seeing and checking
//
// A cell of a notebook is a program of its own. A story saves its record when it
// ends, and another cell loads it by name:
//
//	run := story.Load("synchronous")
//	story.Table(run)
//	check := story.Check(n)
//	check.About("total = all rests + all work", run.Stats().Total, want)
//	os.Exit(check.End()) // fails the cell if a claim is false
//
// Package picture draws the same record.
//
// # Lines
//
// Each line is one write to standard output, so that lines of several goroutines
// never mix and each is seen at once. Lines are coloured in a terminal and in a GoNB
// notebook; NO_COLOR switches that off.
//
// # For interpreters
//
// Names that begin with Int, such as [IntItem] and [NewIntBuffer], stand for
// package prodcons's generic types and functions with items of int. An interpreter
// that can't instantiate the generic types of compiled packages uses those.
package story
