// Command list prints the paths of the lessons, for scripts; with the argument
// interpreted, only of those that the interpreter can run.
package main

import (
	"fmt"
	"os"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
)

func main() {
	for _, path := range lessons.All() {
		if len(os.Args) == 1 || os.Args[1] == "interpreted" && lessons.Interpreted(path) {
			fmt.Println(path)
		}
	}
}
