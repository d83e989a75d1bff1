package story

import (
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// Package prodcons's generic types, for items of int.
type (
	IntItem    = prodcons.Item[int]
	IntQueue   = prodcons.Queue[IntItem]
	IntSlice   = prodcons.Slice[IntItem]
	IntPolling = prodcons.Polling[IntItem]
	IntChannel = prodcons.Channel[IntItem]
	IntBuffer  = prodcons.Buffer[IntItem]
	IntGroup   = prodcons.Group[IntItem]
)

// NewIntPolling is [prodcons.NewPolling] for items of int.
func NewIntPolling(interval time.Duration) *IntPolling {
	return prodcons.NewPolling[IntItem](interval)
}

// NewIntChannel is [prodcons.NewChannel] for items of int.
func NewIntChannel(capacity int) *IntChannel {
	return prodcons.NewChannel[IntItem](capacity)
}

// NewIntBuffer is [prodcons.NewBuffer] for items of int.
func NewIntBuffer(bound int, full prodcons.WhenFull) *IntBuffer {
	return prodcons.NewBuffer[IntItem](bound, full)
}
