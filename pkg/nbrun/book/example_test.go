package book_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/b3771e63/prodcons/pkg/nbrun/book"
)

// The notebooks become pages in the folder site, which is served until Ctrl-C.
func ExampleMake() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := book.Make(ctx, book.Options{
		Notebooks: []string{"docs/intro.ipynb", "docs/more.ipynb"},
		Out:       "site",
		Tell:      func(text string) { fmt.Fprintln(os.Stderr, text) },
	})
	if err == nil {
		err = book.Serve(ctx, "site", func(address string) { fmt.Println(address) })
	}
	if err != nil {
		log.Fatal(err)
	}
}
