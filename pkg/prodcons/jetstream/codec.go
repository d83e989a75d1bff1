package jetstream

import "encoding/json"

// Codec turns values into what the server keeps, and back. Programs that share a
// queue must agree on it.
type Codec[T any] interface {
	Encode(value T) ([]byte, error)
	Decode(data []byte) (T, error)
}

// JSON is the default [Codec] of a queue: encoding/json.
type JSON[T any] struct{}

// Encode is json.Marshal.
func (JSON[T]) Encode(value T) ([]byte, error) { return json.Marshal(value) }

// Decode is json.Unmarshal.
func (JSON[T]) Decode(data []byte) (value T, err error) {
	err = json.Unmarshal(data, &value)
	return value, err
}
