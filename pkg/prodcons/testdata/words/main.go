// Words counts the words of a file with four consumers. Ctrl-C stops it.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	file, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var words atomic.Int64
	group := prodcons.Group[string]{Consumers: 4}
	group.Produce = func(_ context.Context, _ int, put func(string) error) error {
		lines := bufio.NewScanner(file)
		for lines.Scan() && put(lines.Text()) == nil {
		}
		return lines.Err()
	}
	group.Consume = func(_ context.Context, _ int, line string) error {
		words.Add(int64(len(strings.Fields(line))))
		return nil
	}
	err = group.Run(ctx)
	fmt.Printf("%d words: %v, lines left: %d\n", words.Load(), err, len(group.Left()))
	fmt.Println(group.Stats())
}
