package nbrun_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
)

// wrong are answers that somebody may well give: the solution, but for one thing.
var wrong = []struct {
	lesson   string
	exercise int // which of the lesson's, counted from 0
	mistake  string
	from, to string // what of the solution becomes what
	says     string // a part of the line with ✘
}{
	{
		"synchronous", 0, "picks up after the rest",
		"\tconsumer.PickUp(item)\n\tconsumer.Work()\n\tproducer.Rest()\n", "\tproducer.Rest()\n\tconsumer.PickUp(item)\n\tconsumer.Work()\n",
		"no item waits",
	},
	{"synchronous", 0, "does not work", "\tconsumer.Work()\n", "", "all are worked on"},
	{"polling", 0, "no limit", "pause = min(2*pause, 0.04)", "pause *= 2", "begin anew with a short pause when something came, and limit it"},
	{"polling", 0, "no longer pause", "pause = min(2*pause, 0.04)", "", "it looks less often"},
	{"channels", 0, "a missing Wait for a deadlock", `"close", "send"`, `"wait", "send"`, `you say "wait"`},
	{"channels", 0, "Add for a missing Wait", `"add", "wait"`, `"add", "add"`, `you say "add"`},
	{"channels", 1, "room for one", "IntItem, 5)", "IntItem, 1)", "has the channel room for the items of 4 s?"},
	{"channels", 1, "takes the stumble away", "consumer.Sleep(4)", "consumer.Sleep(0)", "the consumer still stumbles"},
	{"many", 0, "one as before", "var consumers = 2", "var consumers = 1", "items wait less than 0.1 s"},
	{"many", 0, "one for each producer", "var consumers = 2", "var consumers = 3", "would one less do?"},
	{"back-pressure", 0, "drops the new one", "\t\tdefault: // no room\n", "\t\tdefault:\n\t\t\treturn\n", "it is the old ones that go"},
	{"back-pressure", 0, "empties the queue", "\t\tcase <-queue:\n", "\t\tcase <-queue:\n\t\t\tfor len(queue) > 0 {\n\t\t\t\t<-queue\n\t\t\t}\n", "one item out is enough"},
	{"stopping", 0, "goes on for ever", "run.Seconds(1)", "run.Seconds(100)", "a limit is missing"},
	{"stopping", 0, "stops at once", "run.Seconds(1)", "0", "somebody has to go on"},
	{"testing-time", 0, "does not look at the clock", "took != 3*time.Second", "took < 0", "look at the clock as well"},
	{"testing-time", 0, "forgets the last rest", "took != 3*time.Second", "took != 2500*time.Millisecond", "it is too strict"},
	{"the-package", 0, "one producer", "\t\tProducers: 2,\n", "", "both producers"},
	{"the-package", 0, "keeps the error to itself", "return use(v)", "_ = use(v); return nil", "the first error comes back"},
	{"beyond-one-machine", 0, "asks nobody", "if b.Paid()[c.Number] == 0 {", "{", "right after it pays: none is made twice"},
	{"beyond-one-machine", 0, "pays what is paid", "== 0", "> 0", "every charge is made"},
}

func TestWrongAnswersAreToldWhatIsWrong(t *testing.T) {
	told := map[string]int{}
	for _, w := range wrong {
		told[w.lesson]++
		t.Run(w.lesson+"/"+w.mistake, func(t *testing.T) {
			path := lessons.Named(w.lesson)
			nb, err := ipynb.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			solution := sourcesOf(nb, "solution")[w.exercise]
			if !strings.Contains(solution, w.from) {
				t.Fatalf("the solution has no %q:\n%s", w.from, solution)
			}
			r, checks := solve(t, path, map[string]string{
				sourcesOf(nb, "exercise")[w.exercise]: strings.Replace(solution, w.from, w.to, 1),
			})
			if f := r.Fault(); f != nil {
				t.Fatal(f)
			}
			said := checks[w.exercise]
			if !slices.ContainsFunc(strings.Split(said, "\n"), func(line string) bool {
				return (strings.Contains(line, "✘") || strings.Contains(line, "→")) && strings.Contains(line, w.says)
			}) || !strings.Contains(said, "Not yet") {
				t.Errorf("no ✘ or hint says %q:\n%s", w.says, said)
			}
		})
	}
	for _, path := range lessons.All() {
		nb, err := ipynb.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if told[lessons.Topic(path)] < 2*len(sourcesOf(nb, "exercise")) {
			t.Errorf("%s: fewer than two wrong answers to each exercise are tried", path)
		}
	}
}
