package lessons

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"reflect"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/b3771e63/prodcons/pkg/internal/display"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// gonbui's table is written by hand, over package display: the real one would
// link cgo, and the interpreter could no longer tell that all goroutines are
// asleep.
func init() {
	inNotebook := display.InNotebook()
	Symbols["github.com/janpfeifer/gonb/gonbui/gonbui"] = map[string]reflect.Value{
		"IsNotebook":      reflect.ValueOf(&inNotebook).Elem(),
		"Error":           reflect.ValueOf(func() error { return displayErr }),
		"SendData":        reflect.ValueOf(sendData),
		"Sync":            reflect.ValueOf(func() {}), // the kernel has all that was sent
		"UniqueId":        reflect.ValueOf(uniqueID),
		"UniqueID":        reflect.ValueOf(uniqueID),
		"DisplayHtml":     reflect.ValueOf(displayHTML),
		"DisplayHTML":     reflect.ValueOf(displayHTML),
		"DisplayHtmlf":    reflect.ValueOf(displayHTMLF),
		"DisplayHTMLF":    reflect.ValueOf(displayHTMLF),
		"DisplayMarkdown": reflect.ValueOf(func(s string) { send(protocol.MIMETextMarkdown, s, "") }),
		"UpdateHtml":      reflect.ValueOf(func(id, s string) { send(protocol.MIMETextHTML, s, id) }),
		"UpdateHTML":      reflect.ValueOf(func(id, s string) { send(protocol.MIMETextHTML, s, id) }),
		"UpdateMarkdown":  reflect.ValueOf(func(id, s string) { send(protocol.MIMETextMarkdown, s, id) }),
		"DisplayPng":      reflect.ValueOf(displayPNG),
		"DisplayPNG":      reflect.ValueOf(displayPNG),
		"DisplaySvg":      reflect.ValueOf(displaySVG),
		"DisplaySVG":      reflect.ValueOf(displaySVG),
		"DisplayImage":    reflect.ValueOf(displayImage),
		"RequestInput":    reflect.ValueOf(requestInput),
		"EmbedImageAsPNGSrc": reflect.ValueOf(func(img image.Image) (string, error) {
			var b bytes.Buffer
			err := png.Encode(&b, img)
			return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes()), err
		}),
	}
}

var (
	displayErr error
	lastID     atomic.Int64
)

func note(err error) {
	if displayErr == nil {
		displayErr = err
	}
}

func sendData(data *protocol.DisplayData) { note(display.Send(data)) }

func send(mime protocol.MIMEType, content any, id string) {
	sendData(&protocol.DisplayData{Data: map[protocol.MIMEType]any{mime: content}, DisplayID: id})
}

func displayHTML(html string)                 { send(protocol.MIMETextHTML, html, "") }
func displayHTMLF(format string, args ...any) { displayHTML(fmt.Sprintf(format, args...)) }
func displayPNG(data []byte)                  { send(protocol.MIMEImagePNG, data, "") }
func displaySVG(svg string)                   { displayHTML("<div>" + svg + "</div>") }
func requestInput(prompt string, password bool) {
	send(protocol.MIMEJupyterInput, &protocol.InputRequest{Prompt: prompt, Password: password}, "")
}

func displayImage(img image.Image) error {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return err
	}
	displayPNG(b.Bytes())
	return nil
}

func uniqueID() string {
	return strconv.FormatInt(time.Now().UnixNano()+lastID.Add(1), 36)
}
