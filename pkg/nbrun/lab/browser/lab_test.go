//go:build unix

package browser_test

import (
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// folder is one to serve, with a notebook in it, and an environment with a cache of
// its own, except for Go's.
func folder(t *testing.T) (dir, cache string, env []string) {
	t.Helper()
	if _, err := exec.LookPath("jupyter-lab"); err != nil {
		missing(t, "jupyter-lab")
	}
	dir, cache = t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "one.ipynb"), []byte(`{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":5}`), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, cache, []string{"XDG_CACHE_HOME=" + cache, "GOCACHE=" + goenv(t, "GOCACHE")}
}

// get sends a request to JupyterLab, and returns the status of its answer, 0 if there
// is none.
func get(t *testing.T, base *url.URL, path, token string) int {
	t.Helper()
	u := *base
	u.Path, u.RawQuery = path, ""
	if token != "" {
		u.RawQuery = "token=" + token
	}
	response, err := (&http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}).Get(u.String())
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

func TestTwoLabsTheTokenTheCacheAndTheEnd(t *testing.T) {
	dir, cache, env := folder(t)
	home := t.TempDir()
	env = append(env, "HOME="+home, "GOPATH="+goenv(t, "GOPATH"), "GOMODCACHE="+goenv(t, "GOMODCACHE"))
	first := start(t, dir, env, "-no-browser", ".")
	at := first.address(t)
	second := start(t, dir, env, "-no-browser", "one.ipynb")
	also := second.address(t)
	if at.Host == also.Host {
		t.Fatalf("two labs at %s", at.Host)
	}
	if also.Path != "/lab/tree/one.ipynb" || at.Path != "/lab" {
		t.Errorf("they open %s and %s", at.Path, also.Path)
	}
	if host, _, _ := net.SplitHostPort(at.Host); host != "127.0.0.1" {
		t.Errorf("it listens on %s", host)
	}
	token := at.Query().Get("token")
	for sent, want := range map[string]int{"": 403, "wrong": 403, also.Query().Get("token"): 403, token: 200} {
		if got := get(t, at, "/api/kernels", sent); got != want {
			t.Errorf("with the token %q: status %d, want %d", sent, got, want)
		}
	}
	// Nothing is written into the user's own folders.
	for _, name := range []string{".jupyter", ".local/share/jupyter", ".ipython"} {
		if _, err := os.Stat(filepath.Join(home, name)); err == nil {
			t.Errorf("~/%s has been made", name)
		}
	}
	// Somebody empties the cache.
	kernels, _ := filepath.Glob(filepath.Join(cache, "nbrun", "kernel_*", "gonb"))
	if len(kernels) != 1 {
		t.Fatalf("kernels in the cache: %q", kernels)
	}
	// All at once: a lab that fills it again is not in the way.
	if err := os.Rename(filepath.Join(cache, "nbrun"), filepath.Join(t.TempDir(), "away")); err != nil {
		t.Fatal(err)
	}
	for limit := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(filepath.Dir(kernels[0]), "share", "kernels", "gonb", "kernel.json")); err == nil {
			break
		}
		if time.Now().After(limit) {
			t.Fatal("the kernel has not been built again")
		}
	}
	first.end(t)
	if got := get(t, at, "/api/status", token); got != 0 {
		t.Errorf("after Ctrl-C it answers with status %d", got)
	}
	if got := get(t, also, "/api/status", also.Query().Get("token")); got != 200 {
		t.Errorf("the other lab answers with status %d", got)
	}
}

func goenv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestAPortThatIsTaken(t *testing.T) {
	dir, _, env := folder(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	out, err := command(t, env, "-no-browser", "-port", port, dir).CombinedOutput()
	if want := "lab: port " + port + " is in use: choose another one, or leave it out\n"; err == nil || string(out) != want {
		t.Errorf("got %q (%v), want %q", out, err, want)
	}
}

// TestNoBrowser starts lab where no browser can be opened: the address is enough.
func TestNoBrowser(t *testing.T) {
	dir, _, env := folder(t)
	env = append(env, "BROWSER=", "DISPLAY=", "WAYLAND_DISPLAY=", "WSL_DISTRO_NAME=")
	for _, test := range []struct{ env, want string }{
		{"BROWSER=/nowhere/firefox", "no browser could be opened (/nowhere/firefox is missing)"},
		{"DISPLAY=", "there is no screen for a browser here"},
	} {
		if runtime.GOOS == "darwin" && test.env == "DISPLAY=" {
			continue // there it is always one
		}
		l := start(t, dir, append(env, test.env), ".")
		l.address(t)
		if told := strings.Join(l.told, "\n"); !strings.Contains(told, test.want) {
			t.Errorf("with %s it does not say %q:\n%s", test.env, test.want, told)
		}
	}
}
