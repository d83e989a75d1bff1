// Package orders has what nbrun and the link (the process that holds the kernel's
// sockets) say to each other: a line of JSON each.
package orders

import (
	"encoding/json"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lastwords"
)

// The largest content of a message that is passed on.
const (
	MaxMessage = 8 << 20 // bytes
	MaxValues  = 1 << 20 // members of lists and objects
)

// Message is a message that a kernel has published about a cell.
type Message struct {
	Cell    int             `json:"cell"` // the number of the Execute that it belongs to, from 1
	Type    string          `json:"type"` // msg_type: stream, display_data, …
	Content json.RawMessage `json:"content"`
}

// Reply is a kernel's answer to a cell.
type Reply struct {
	Status    string   `json:"status"` // ok, error or aborted
	Name      string   `json:"ename"`
	Value     string   `json:"evalue"`
	Traceback []string `json:"traceback"`
}

// Order is what the link is told, a line of JSON each.
type Order struct {
	Start     *Process `json:"start,omitempty"` // the first one
	Execute   *string  `json:"execute,omitempty"`
	Interrupt bool     `json:"interrupt,omitempty"` // end what is being executed
}

// Report is what the link says, a line of JSON each.
type Report struct {
	Ready   bool     `json:"ready,omitempty"`
	Message *Message `json:"message,omitempty"`
	Reply   *Reply   `json:"reply,omitempty"`
	Refused string   `json:"refused,omitempty"` // with Reply: what the cell wanted and could not have
	Dead    *Dead    `json:"dead,omitempty"`    // the kernel, after which there is nothing more
}

// Process says how to start a kernel.
type Process struct {
	Argv   []string      `json:"argv"` // {connection_file} stands for the path of that file
	Dir    string        `json:"dir"`
	Env    []string      `json:"env"`
	Signal bool          `json:"signal"` // it is interrupted by SIGINT, not by a message
	Ports  bool          `json:"ports"`  // it may not know sockets in a folder, and gets ports then
	Within time.Duration `json:"within"` // it must answer in this time,
	Beat   time.Duration `json:"beat"`   // and each heartbeat in this
}

// Dead is the error for a kernel that has ended.
type Dead struct {
	Text string   `json:"text"`
	Last []string `json:"last"` // the last lines that it wrote to its stderr
}

func (d *Dead) Error() string {
	words := lastwords.Of(d.Last)
	if words == "" {
		return d.Text
	}
	return d.Text + "; its last words: " + words
}
