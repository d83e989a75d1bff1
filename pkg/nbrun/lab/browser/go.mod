module github.com/b3771e63/prodcons/pkg/nbrun/lab/browser

go 1.26.0

replace github.com/b3771e63/prodcons => ../../../..

require github.com/b3771e63/prodcons v0.0.0

require github.com/chromedp/chromedp v0.23.0

require github.com/chromedp/cdproto v0.159.2

require (
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/gofrs/flock v0.13.2 // indirect
	github.com/janpfeifer/gonb v0.11.4 // indirect
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.25.0 // indirect
	golang.org/x/sys v0.50.0 // indirect
	golang.org/x/tools v0.52.0 // indirect
)
