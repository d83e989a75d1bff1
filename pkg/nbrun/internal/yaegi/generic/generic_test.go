package generic_test

import (
	gocmp "cmp"
	"fmt"
	"go/importer"
	"go/token"
	goiter "iter"
	gomaps "maps"
	"math"
	"math/rand/v2"
	goslices "slices"
	"strings"
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/generic/cmp"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/generic/iter"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/generic/maps"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/generic/slices"
)

// Each package has everything that the standard library's has, of the same type.
func TestNothingIsMissing(t *testing.T) {
	const ours = "github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/generic/"
	from := importer.ForCompiler(token.NewFileSet(), "source", nil)
	for _, path := range []string{"cmp", "iter", "maps", "slices"} {
		std, err := from.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		own, err := from.Import(ours + path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range std.Scope().Names() {
			want := std.Scope().Lookup(name)
			if !want.Exported() {
				continue
			}
			got := own.Scope().Lookup(name)
			if got == nil {
				t.Errorf("%s.%s is missing", path, name)
				continue
			}
			text := strings.ReplaceAll(got.Type().String(), ours, "")
			if text != want.Type().String() {
				t.Errorf("%s.%s is %s, and not %s", path, name, text, want.Type())
			}
		}
	}
}

type pair struct{ Key, Place int }

func byKey(a, b pair) int { return a.Key - b.Key }

// caught is what f returns, or panics with.
func caught(f func() any) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint("panic: ", r)
		}
	}()
	return fmt.Sprintf("%#v", f())
}

// Both do the same to the same slices, whatever their length, capacity and order,
// including what lies beyond their length, and elements that are equal.
func TestSlices(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 1))
	for round := range 800 {
		n := r.IntN(40)
		if round%100 == 0 {
			n = 1000 + r.IntN(1000)
		}
		whole := make([]pair, n+r.IntN(8))
		for i := range whole {
			whole[i] = pair{r.IntN(1 + n/2), i}
		}
		keys := make([]float64, n)
		for i := range keys {
			if keys[i] = float64(r.IntN(1 + n/2)); r.IntN(20) == 0 {
				keys[i] = math.NaN()
			}
		}
		i, j := r.IntN(n+2)-1, r.IntN(n+2)-1
		v := make([]pair, r.IntN(4))
		odd := func(p pair) bool { return p.Key%2 == 1 }
		equal := func(a, b pair) bool { return a.Key == b.Key }
		target := pair{Key: r.IntN(1 + n)}
		type s = []pair
		for name, both := range map[string][2]func(s, []float64) any{
			"Insert":       {func(s s, _ []float64) any { return goslices.Insert(s, i, v...) }, func(s s, _ []float64) any { return slices.Insert(s, i, v...) }},
			"Delete":       {func(s s, _ []float64) any { return goslices.Delete(s, i, j) }, func(s s, _ []float64) any { return slices.Delete(s, i, j) }},
			"Replace":      {func(s s, _ []float64) any { return goslices.Replace(s, i, j, v...) }, func(s s, _ []float64) any { return slices.Replace(s, i, j, v...) }},
			"DeleteFunc":   {func(s s, _ []float64) any { return goslices.DeleteFunc(s, odd) }, func(s s, _ []float64) any { return slices.DeleteFunc(s, odd) }},
			"Compact":      {func(s s, _ []float64) any { return goslices.Compact(s) }, func(s s, _ []float64) any { return slices.Compact(s) }},
			"CompactFunc":  {func(s s, _ []float64) any { return goslices.CompactFunc(s, equal) }, func(s s, _ []float64) any { return slices.CompactFunc(s, equal) }},
			"SortFunc":     {func(s s, _ []float64) any { goslices.SortFunc(s, byKey); return s }, func(s s, _ []float64) any { slices.SortFunc(s, byKey); return s }},
			"SortStable":   {func(s s, _ []float64) any { goslices.SortStableFunc(s, byKey); return s }, func(s s, _ []float64) any { slices.SortStableFunc(s, byKey); return s }},
			"Sort":         {func(_ s, k []float64) any { goslices.Sort(k); return k }, func(_ s, k []float64) any { slices.Sort(k); return k }},
			"Sorted":       {func(_ s, k []float64) any { return goslices.Sorted(goslices.Values(k)) }, func(_ s, k []float64) any { return slices.Sorted(slices.Values(k)) }},
			"SortedFunc":   {func(s s, _ []float64) any { return goslices.SortedFunc(goslices.Values(s), byKey) }, func(s s, _ []float64) any { return slices.SortedFunc(slices.Values(s), byKey) }},
			"SortedStable": {func(s s, _ []float64) any { return goslices.SortedStableFunc(goslices.Values(s), byKey) }, func(s s, _ []float64) any { return slices.SortedStableFunc(slices.Values(s), byKey) }},
			"IsSorted":     {func(_ s, k []float64) any { return goslices.IsSorted(k) }, func(_ s, k []float64) any { return slices.IsSorted(k) }},
			"IsSortedFunc": {func(s s, _ []float64) any { return goslices.IsSortedFunc(s, byKey) }, func(s s, _ []float64) any { return slices.IsSortedFunc(s, byKey) }},
			"Min":          {func(_ s, k []float64) any { return goslices.Min(k) }, func(_ s, k []float64) any { return slices.Min(k) }},
			"Max":          {func(_ s, k []float64) any { return goslices.Max(k) }, func(_ s, k []float64) any { return slices.Max(k) }},
			"MinFunc":      {func(s s, _ []float64) any { return goslices.MinFunc(s, byKey) }, func(s s, _ []float64) any { return slices.MinFunc(s, byKey) }},
			"MaxFunc":      {func(s s, _ []float64) any { return goslices.MaxFunc(s, byKey) }, func(s s, _ []float64) any { return slices.MaxFunc(s, byKey) }},
			"Reverse":      {func(s s, _ []float64) any { goslices.Reverse(s); return s }, func(s s, _ []float64) any { slices.Reverse(s); return s }},
			"Grow":         {func(s s, _ []float64) any { return cap(goslices.Grow(s, i)) }, func(s s, _ []float64) any { return cap(slices.Grow(s, i)) }},
			"Clip":         {func(s s, _ []float64) any { return cap(goslices.Clip(s)) }, func(s s, _ []float64) any { return cap(slices.Clip(s)) }},
			"Clone":        {func(s s, _ []float64) any { return goslices.Clone(s) }, func(s s, _ []float64) any { return slices.Clone(s) }},
			"Concat":       {func(s s, _ []float64) any { return goslices.Concat(s, v, s) }, func(s s, _ []float64) any { return slices.Concat(s, v, s) }},
			"Repeat":       {func(s s, _ []float64) any { return goslices.Repeat(s, i%4) }, func(s s, _ []float64) any { return slices.Repeat(s, i%4) }},
			"Index":        {func(s s, _ []float64) any { return goslices.Index(s, target) }, func(s s, _ []float64) any { return slices.Index(s, target) }},
			"IndexFunc":    {func(s s, _ []float64) any { return goslices.IndexFunc(s, odd) }, func(s s, _ []float64) any { return slices.IndexFunc(s, odd) }},
			"Contains":     {func(_ s, k []float64) any { return goslices.Contains(k, 3) }, func(_ s, k []float64) any { return slices.Contains(k, 3) }},
			"ContainsFunc": {func(s s, _ []float64) any { return goslices.ContainsFunc(s, odd) }, func(s s, _ []float64) any { return slices.ContainsFunc(s, odd) }},
			"Equal":        {func(_ s, k []float64) any { return goslices.Equal(k, k) }, func(_ s, k []float64) any { return slices.Equal(k, k) }},
			"EqualFunc":    {func(s s, _ []float64) any { return goslices.EqualFunc(s, v, equal) }, func(s s, _ []float64) any { return slices.EqualFunc(s, v, equal) }},
			"Compare":      {func(_ s, k []float64) any { return goslices.Compare(k, k[n/2:]) }, func(_ s, k []float64) any { return slices.Compare(k, k[n/2:]) }},
			"CompareFunc":  {func(s s, _ []float64) any { return goslices.CompareFunc(s, v, byKey) }, func(s s, _ []float64) any { return slices.CompareFunc(s, v, byKey) }},
			"Search": {
				func(s s, k []float64) any {
					goslices.Sort(k)
					a, b := goslices.BinarySearch(k, float64(j))
					goslices.SortFunc(s, byKey)
					c, d := goslices.BinarySearchFunc(s, target, byKey)
					return []any{a, b, c, d}
				},
				func(s s, k []float64) any {
					slices.Sort(k)
					a, b := slices.BinarySearch(k, float64(j))
					slices.SortFunc(s, byKey)
					c, d := slices.BinarySearchFunc(s, target, byKey)
					return []any{a, b, c, d}
				},
			},
			"All": {
				func(s s, _ []float64) any { return gomaps.Collect(goslices.All(s)) },
				func(s s, _ []float64) any { return maps.Collect(slices.All(s)) },
			},
			"Backward": {
				func(s s, _ []float64) any { return some(goslices.Backward(s)) },
				func(s s, _ []float64) any { return some(goiter.Seq2[int, pair](slices.Backward(s))) },
			},
			"Chunk": {
				func(s s, _ []float64) any { return goslices.Collect(goslices.Chunk(s, i)) },
				func(s s, _ []float64) any { return slices.Collect(slices.Chunk(s, i)) },
			},
			"AppendSeq": {
				func(s s, _ []float64) any { return goslices.AppendSeq(s[:n/2], goslices.Values(s[n/2:])) },
				func(s s, _ []float64) any { return slices.AppendSeq(s[:n/2], slices.Values(s[n/2:])) },
			},
		} {
			var said, left [2]string
			for k, f := range both {
				room := goslices.Clone(whole)
				ks := goslices.Clone(keys)
				said[k] = caught(func() any { return f(room[:n], ks) })
				left[k] = fmt.Sprint(room, ks)
			}
			if said[0] != said[1] || left[0] != left[1] {
				t.Fatalf("%d: %s of %v (%d of room for %d), %d, %d, %v:\n%s\nleft %s\nand ours\n%s\nleft %s", round, name, whole, n, len(whole), i, j, v, said[0], left[0], said[1], left[1])
			}
		}
	}
}

// some is what seq yields first.
func some(seq goiter.Seq2[int, pair]) (all []any) {
	for i, p := range seq {
		if all = append(all, i, p); len(all) > 20 {
			break
		}
	}
	return all
}

func TestMaps(t *testing.T) {
	a, b := map[string]int{"x": 1, "y": 2, "z": 3}, map[string]int{"x": 1, "y": 2}
	odd := func(_ string, v int) bool { return v%2 == 1 }
	for name, both := range map[string][2]any{
		"Equal":  {[]bool{gomaps.Equal(a, a), gomaps.Equal(a, b)}, []bool{maps.Equal(a, a), maps.Equal(a, b)}},
		"Clone":  {gomaps.Clone(a), maps.Clone(a)},
		"nil":    {gomaps.Clone(map[int]int(nil)), maps.Clone(map[int]int(nil))},
		"Keys":   {goslices.Sorted(gomaps.Keys(a)), slices.Sorted(maps.Keys(a))},
		"Values": {goslices.Sorted(gomaps.Values(a)), slices.Sorted(maps.Values(a))},
		"All":    {gomaps.Collect(gomaps.All(a)), maps.Collect(maps.All(a))},
		"Delete": {
			func() any { c := gomaps.Clone(a); gomaps.DeleteFunc(c, odd); return c }(),
			func() any { c := maps.Clone(a); maps.DeleteFunc(c, odd); return c }(),
		},
		"Copy": {
			func() any { c := gomaps.Clone(b); gomaps.Copy(c, a); return c }(),
			func() any { c := maps.Clone(b); maps.Copy(c, a); return c }(),
		},
	} {
		if x, y := fmt.Sprintf("%#v", both[0]), fmt.Sprintf("%#v", both[1]); x != y {
			t.Errorf("%s: %s and not %s", name, y, x)
		}
	}
}

func TestCmp(t *testing.T) {
	values := []float64{math.NaN(), math.Inf(-1), -1, math.Copysign(0, -1), 0, 1, math.Inf(1)}
	for _, x := range values {
		for _, y := range values {
			if cmp.Compare(x, y) != gocmp.Compare(x, y) || cmp.Less(x, y) != gocmp.Less(x, y) {
				t.Errorf("%v and %v: %d, %v", x, y, cmp.Compare(x, y), cmp.Less(x, y))
			}
		}
	}
	if cmp.Or("", "a", "b") != "a" || cmp.Or[int]() != 0 {
		t.Error("Or")
	}
}

// A pulled iterator does the same, even when it ends early, panics, or is called again.
func TestPull(t *testing.T) {
	seq := func(yield func(int) bool) {
		for i := range 3 {
			if !yield(i) {
				return
			}
		}
		if yield(3) {
			panic("too far")
		}
	}
	use := func(next func() (int, bool), stop func(), steps string) any {
		var all []any
		for _, step := range steps {
			if step == 's' {
				stop()
				continue
			}
			all = append(all, caught(func() any {
				v, ok := next()
				return []any{v, ok}
			}))
		}
		return all
	}
	for _, steps := range []string{"", "s", "n", "ns", "sn", "nnn", "nnnnsn", "nnnnnnn", "nnnnns", "ssn"} {
		next, stop := goiter.Pull(goiter.Seq[int](seq))
		want := use(next, stop, steps)
		stop()
		next, stop = iter.Pull(iter.Seq[int](seq))
		if got := use(next, stop, steps); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", steps, got, want)
		}
		stop()
	}
}
