// Package lab serves notebooks in JupyterLab, with the GoNB kernel that this module
// pins. What it builds and keeps is in the user's cache; the user's own Jupyter folders
// are left alone.
package lab

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/jupyter"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
)

// Options say what to serve, and how.
type Options struct {
	// Path is the folder to serve, or a notebook: then its folder is served, and the
	// notebook is opened first.
	Path string
	// Copies says whether to serve copies without outputs instead.
	Copies Copies
	// Port of the loopback interface; 0 is 8888, or the next one that is free.
	Port int
	// Install makes a Python environment with JupyterLab in the user's cache, if
	// there is none on PATH or it is too old.
	Install bool
	// Browser opens the address in the user's browser.
	Browser bool
	// Tell is called with a line for each thing that takes long, and for each that does
	// not work although the rest does. Several goroutines may call it at once.
	Tell func(line string)
}

// slow is how long something takes before Tell is called.
const slow = time.Second

// progress returns a function to call with what is being done, and with "" when it is
// done.
func (o Options) progress() func(string) {
	timer := time.NewTimer(0)
	timer.Stop()
	return func(doing string) {
		timer.Stop()
		if doing != "" {
			timer = time.AfterFunc(slow, func() { o.Tell(doing + " …") })
		}
	}
}

// Server is a running JupyterLab.
type Server struct {
	URL string // with the token: whoever has it can run programs here

	opts  Options
	tools *jupyter.Tools
	cmd   *exec.Cmd
	// traces are its processes, and a folder of its own, for Jupyter's runtime folder
	// and its log.
	traces *process.Traces
	ended  chan struct{}
	err    error // how it ended
}

const (
	defaultPort  = 8888
	startWithin  = 2 * time.Minute // a cold disk and a slow machine
	endWithin    = 10 * time.Second
	lookInterval = time.Second
)

// Start builds the kernel, unless it is built, starts JupyterLab and returns when it
// answers. The first time takes minutes and needs the network; after that it takes a
// few seconds and needs no network. If ctx ends first, everything is ended again.
//
// The server listens on the loopback interface only and asks for a token, which is part
// of its URL.
func Start(ctx context.Context, opts Options) (*Server, error) {
	root, first, err := place(opts.Path)
	if err != nil {
		return nil, err
	}
	if err := possible(); err != nil {
		return nil, err
	}
	if opts.Port != 0 && !free(opts.Port) {
		return nil, fmt.Errorf("port %d is in use: choose another one, or leave it out", opts.Port)
	}
	if opts.Copies != None {
		if root, err = copyFrom(root, opts.Copies); err != nil {
			return nil, err
		}
	}
	state, err := makeState()
	if err != nil {
		return nil, err
	}
	// Everything that takes long, at once.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var program, completion string
	var tools *jupyter.Tools
	errs := make([]error, 2)
	var wg sync.WaitGroup
	wg.Go(func() {
		if program, errs[0] = findJupyter(ctx, state, opts); errs[0] != nil {
			cancel()
		}
	})
	wg.Go(func() {
		if tools, errs[1] = buildKernel(ctx, opts); errs[1] != nil {
			cancel()
		}
	})
	wg.Go(func() { completion = installGopls(ctx, opts) })
	wg.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return nil, err
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	traces, err := process.NewTraces()
	if err != nil {
		return nil, err
	}
	s := &Server{opts: opts, tools: tools, traces: traces, ended: make(chan struct{})}
	if err := s.start(ctx, program, root, first, state, completion); err != nil {
		_, err2 := traces.Clear()
		return nil, errors.Join(err, err2)
	}
	return s, nil
}

// Wait blocks until ctx ends, then ends JupyterLab with its kernels and everything they
// have started, and returns nil. If JupyterLab ends before, it returns why. Meanwhile
// it rebuilds the kernel if somebody empties the cache.
func (s *Server) Wait(ctx context.Context) error {
	look := time.NewTicker(lookInterval)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			s.stop()
			return nil
		case <-s.ended:
			defer s.stop()
			if s.err == nil { // somebody has chosen File, Shut Down
				return nil
			}
			return fmt.Errorf("JupyterLab has ended (%w): %s", s.err, s.lastWords())
		case <-look.C:
			if s.tools.Complete() {
				continue
			}
			s.opts.Tell("the cache has been emptied: the kernel is built again")
			_, err := makeState()
			if err == nil {
				_, err = buildKernel(ctx, s.opts)
			}
			if err != nil && ctx.Err() == nil {
				defer s.stop()
				return fmt.Errorf("the cache has been emptied: %w", err)
			}
		}
	}
}

// place returns the folder to serve, and what to open first in it, "" for nothing.
func place(path string) (root, first string, err error) {
	if path == "" {
		path = "notebooks"
	}
	root, err = filepath.Abs(path)
	if err != nil {
		return "", "", err
	}
	info, err := os.Stat(root)
	switch {
	case errors.Is(err, os.ErrNotExist) && path == "notebooks":
		return "", "", errors.New("there is no folder notebooks here: run this in a clone of prodcons, or name a folder")
	case errors.Is(err, os.ErrNotExist):
		return "", "", fmt.Errorf("%s: there is no such folder or notebook", path)
	case err != nil:
		return "", "", err
	case !info.IsDir() && filepath.Ext(root) != ".ipynb":
		return "", "", fmt.Errorf("%s: is neither a folder nor a notebook (*.ipynb)", path)
	case !info.IsDir():
		return filepath.Dir(root), filepath.Base(root), nil
	}
	if _, err := os.ReadDir(root); err != nil {
		return "", "", err
	}
	for _, pattern := range []string{"index.ipynb", "*-index.ipynb"} {
		if found, _ := filepath.Glob(filepath.Join(escapeGlob(root), pattern)); len(found) > 0 {
			return root, filepath.Base(found[0]), nil
		}
	}
	return root, "", nil
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// possible returns an error that says why there can be no kernel here, or nil.
func possible() error {
	if runtime.GOOS == "windows" {
		return errors.New("GoNB does not run on Windows: do this in WSL")
	}
	if _, err := exec.LookPath("go"); err != nil {
		return errors.New("the kernel needs the go command on PATH: install it from go.dev")
	}
	return nil
}

func free(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// state is the folder in the user's cache for what JupyterLab keeps: the layout of
// its window, settings made in its menus, which notebooks are trusted.
type state string

func stateDir() (state, error) {
	dir, err := cache.Dir(cache.Lab, "")
	if err != nil {
		return "", fmt.Errorf("there is no folder for a cache: %w", err)
	}
	return state(dir), nil
}

func (s state) join(name ...string) string {
	return filepath.Join(append([]string{string(s)}, name...)...)
}

// overrides are settings that a user can change: nothing is downloaded unasked, and
// gopls gets the time that its first answer takes.
//
//go:embed overrides.json
var overrides []byte

func makeState() (state, error) {
	s, err := stateDir()
	if err != nil {
		return "", err
	}
	for _, dir := range []string{"data", "settings", "workspaces", "config/labconfig"} {
		if err == nil {
			err = os.MkdirAll(s.join(dir), 0o700)
		}
	}
	if err == nil {
		err = os.WriteFile(s.join("config", "labconfig", "default_setting_overrides.json"), overrides, 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("the cache can't be written (%w): set XDG_CACHE_HOME to a folder that can", err)
	}
	return s, nil
}

// buildKernel builds the kernel, and writes its kernelspec beside it.
func buildKernel(ctx context.Context, opts Options) (*jupyter.Tools, error) {
	t, err := jupyter.BuildTools(ctx, opts.progress())
	if err != nil {
		return nil, err
	}
	spec, err := json.MarshalIndent(map[string]any{
		"argv": t.GoNB().Argv, "display_name": "Go (gonb)", "language": "go", "interrupt_mode": "message",
		"metadata": map[string]any{"debugger": false},
	}, "", "  ")
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(t.Dir, "share", "kernels", "gonb")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return t, os.WriteFile(filepath.Join(dir, "kernel.json"), spec, 0o600)
}

// longestSocket is a name as Jupyter gives it to a kernel's socket, and maxSocket the
// most bytes that its path may have, the one at its end included, on the system that
// allows the fewest.
const (
	longestSocket = "kernel-01234567-89ab-cdef-0123-456789abcdef-ipc-5"
	maxSocket     = 104
)

// start starts JupyterLab, and waits until it answers.
func (s *Server) start(ctx context.Context, program, root, first string, state state, completion string) error {
	log, err := os.Create(s.logFile())
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"--ServerApp.ip=127.0.0.1", "--ServerApp.root_dir=" + root, "--ServerApp.open_browser=False", "--LabApp.open_browser=False"}
	if s.opts.Port != 0 {
		args = append(args, "--ServerApp.port_retries=0", fmt.Sprintf("--ServerApp.port=%d", s.opts.Port))
	} else {
		args = append(args, fmt.Sprintf("--ServerApp.port=%d", defaultPort))
	}
	page := "/lab"
	if first != "" {
		page += "/tree/" + url.PathEscape(first)
	}
	if os.Geteuid() == 0 {
		args = append(args, "--allow-root")
	}
	if runtime.GOOS != "windows" && len(filepath.Join(s.traces.Dir, longestSocket)) < maxSocket {
		args = append(args, "--KernelManager.transport=ipc") // no other user reaches a kernel
	}
	s.cmd = exec.Command(program, args...)
	s.cmd.Dir = root
	s.cmd.Stdout, s.cmd.Stderr = log, log
	list := string(os.PathListSeparator)
	s.cmd.Env = append(s.traces.On(os.Environ()),
		"PATH="+strings.Join([]string{s.tools.Dir, filepath.Dir(program), completion, os.Getenv("PATH")}, list),
		"JUPYTER_PATH="+strings.Join([]string{filepath.Join(s.tools.Dir, "share"), os.Getenv("JUPYTER_PATH"), jupyter.UserDataDir()}, list),
		"JUPYTER_RUNTIME_DIR="+s.traces.Dir,
		"JUPYTER_DATA_DIR="+state.join("data"),
		"JUPYTER_CONFIG_DIR="+state.join("config"),
		"IPYTHONDIR="+state.join("data", "ipython"),
		"JUPYTERLAB_SETTINGS_DIR="+state.join("settings"),
		"JUPYTERLAB_WORKSPACES_DIR="+state.join("workspaces"),
	)
	s.cmd.SysProcAttr = attributes()

	started := make(chan error)
	go func() {
		// On Linux, JupyterLab is told when the thread that started it ends.
		runtime.LockOSThread()
		err := s.cmd.Start()
		started <- err
		if err == nil {
			s.err = s.cmd.Wait()
			close(s.ended)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	progress := s.opts.progress()
	progress("starting JupyterLab")
	defer progress("")
	deadline := time.After(startWithin)
	for {
		if s.URL = s.answers(ctx, page); s.URL != "" {
			break
		}
		select {
		case <-time.After(20 * time.Millisecond):
			continue
		case <-ctx.Done():
			err = ctx.Err()
		case <-s.ended:
			err = fmt.Errorf("JupyterLab does not start: %s", s.lastWords())
		case <-deadline:
			err = fmt.Errorf("JupyterLab did not answer within %v: %s", startWithin, s.lastWords())
		}
		s.stop()
		return err
	}
	if s.opts.Browser {
		if err := openBrowser(s.URL); err != nil {
			s.opts.Tell(err.Error())
		}
	}
	return nil
}

// answers returns the server's address once it answers, and "" before.
func (s *Server) answers(ctx context.Context, page string) string {
	files, _ := filepath.Glob(filepath.Join(escapeGlob(s.traces.Dir), "jpserver-*.json"))
	if len(files) == 0 {
		return ""
	}
	var info struct{ URL, Token string }
	data, err := os.ReadFile(files[0])
	if err != nil || json.Unmarshal(data, &info) != nil {
		return "" // it is just being written
	}
	base := strings.TrimSuffix(info.URL, "/")
	query := "?token=" + url.QueryEscape(info.Token)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/status"+query, nil)
	if err != nil {
		return ""
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return ""
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return ""
	}
	return base + page + query
}

// stop ends JupyterLab, and everything left of what it started.
func (s *Server) stop() {
	select {
	case <-s.ended:
	default:
		terminate(s.cmd)
		select {
		case <-s.ended:
		case <-time.After(endWithin):
			kill(s.cmd)
			<-s.ended
		}
	}
	_, _ = s.traces.Clear() // or the next run does
}

func (s *Server) logFile() string { return filepath.Join(s.traces.Dir, "jupyter.log") }

// lastWords is the line of JupyterLab's log that says most about its end.
func (s *Server) lastWords() string {
	data, err := os.ReadFile(s.logFile())
	if err != nil {
		return "it said nothing"
	}
	lines := slices.DeleteFunc(strings.Split(string(data), "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
	for _, line := range slices.Backward(lines) {
		for _, level := range []string{"[C ", "[E "} {
			if strings.HasPrefix(line, level) {
				_, line, _ = strings.Cut(line, "] ")
				return line
			}
		}
	}
	if len(lines) == 0 {
		return "it said nothing"
	}
	return lines[len(lines)-1]
}

// openBrowser opens the address in the user's browser.
func openBrowser(address string) error {
	program := "xdg-open"
	switch {
	case os.Getenv("BROWSER") != "":
		program = os.Getenv("BROWSER")
	case runtime.GOOS == "darwin":
		program = "open"
	case os.Getenv("WSL_DISTRO_NAME") != "":
		program = "wslview"
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		return errors.New("there is no screen for a browser here: open the address where there is one")
	}
	cmd := exec.Command(program, address)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("no browser could be opened (%s is missing): open the address yourself", program)
	}
	go cmd.Wait() //nolint:errcheck // a browser may run for days
	return nil
}
