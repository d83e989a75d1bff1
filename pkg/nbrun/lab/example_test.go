package lab_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/b3771e63/prodcons/pkg/nbrun/lab"
)

// JupyterLab for the notebooks in the folder docs, until Ctrl-C.
func ExampleStart() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	server, err := lab.Start(ctx, lab.Options{Path: "docs", Tell: func(line string) { fmt.Fprintln(os.Stderr, line) }})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(server.URL)
	fmt.Println(server.Wait(ctx))
}
