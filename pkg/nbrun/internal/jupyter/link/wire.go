//go:build unix

package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// wire packs and unpacks messages of Jupyter's messaging protocol, 5.3 and 5.4
// (https://jupyter-client.readthedocs.io/en/stable/messaging.html).
type wire struct {
	key     []byte
	session string
}

// message is a message that a kernel has sent and signed.
type message struct {
	channel string // shell, iopub, control or stdin
	kind    string
	parent  string // the id of the request that it belongs to, "" for none
	content json.RawMessage
}

type header struct {
	ID       string `json:"msg_id"`
	Session  string `json:"session"`
	Username string `json:"username"`
	Date     string `json:"date"`
	Type     string `json:"msg_type"`
	Version  string `json:"version"`
}

const delimiter = "<IDS|MSG>"

// newID returns 32 random hexadecimal digits.
func newID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	return hex.EncodeToString(id)
}

// pack makes the frames of a request, and its id.
func (w *wire) pack(kind string, content any) ([][]byte, string, error) {
	h := header{ID: newID(), Session: w.session, Username: "nbrun", Date: time.Now().UTC().Format(time.RFC3339Nano), Type: kind, Version: "5.3"}
	head, err := json.Marshal(h)
	if err != nil {
		return nil, "", err
	}
	body, err := json.Marshal(content)
	if err != nil {
		return nil, "", err
	}
	parts := [][]byte{head, []byte("{}"), []byte("{}"), body}
	return append([][]byte{[]byte(delimiter), w.sign(parts)}, parts...), h.ID, nil
}

// sign returns the signature of a message's four parts: HMAC-SHA256, hexadecimal.
func (w *wire) sign(parts [][]byte) []byte {
	mac := hmac.New(sha256.New, w.key)
	for _, p := range parts {
		mac.Write(p)
	}
	return hex.AppendEncode(nil, mac.Sum(nil))
}

// unpack reads the frames of a message. It fails when they are not a message or are not
// signed with the key.
func (w *wire) unpack(frames [][]byte) (message, error) {
	var none message
	for len(frames) > 0 && string(frames[0]) != delimiter {
		frames = frames[1:] // identities, or the topic
	}
	if len(frames) < 6 {
		return none, errors.New("not a message: too few frames")
	}
	parts := frames[2:6]
	if !hmac.Equal(frames[1], w.sign(parts)) {
		return none, errors.New("wrong signature")
	}
	var head, parent header
	if err := json.Unmarshal(parts[0], &head); err != nil {
		return none, fmt.Errorf("header: %w", err)
	}
	if err := json.Unmarshal(parts[1], &parent); err != nil {
		return none, fmt.Errorf("parent header: %w", err)
	}
	if !json.Valid(parts[3]) {
		return none, errors.New("content: not JSON")
	}
	return message{kind: head.Type, parent: parent.ID, content: parts[3]}, nil
}
