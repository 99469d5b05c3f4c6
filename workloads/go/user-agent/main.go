// Counts browsers and their versions in the User-Agent lines on standard input.
package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"workloads/input"
)

type rule struct {
	pattern *regexp.Regexp
	name    string
	also    []byte
}

type browser struct {
	name    string
	version int
}

// The first one that occurs counts.
var rules = []rule{
	token("Googlebot/", "Googlebot"),
	token("bingbot/", "bingbot"),
	token("Edg/", "Edge"),
	token("OPR/", "Opera"),
	token("SamsungBrowser/", "Samsung Internet"),
	token("Firefox/", "Firefox"),
	token("FxiOS/", "Firefox"),
	token("CriOS/", "Chrome"),
	token("Chrome/", "Chrome"),
	{regexp.MustCompile(`Version/(\d{0,9})`), "Safari", []byte("Safari/")},
	token("curl/", "curl"),
}

func token(token, name string) rule {
	return rule{regexp.MustCompile(regexp.QuoteMeta(token) + `(\d{0,9})`), name, nil}
}

func main() { input.Answer(run()) }

func run() ([]byte, error) {
	lines, err := input.Read()
	if err != nil {
		return nil, err
	}
	return input.Repeat(func() ([]byte, error) { return count(lines), nil })
}

func count(lines []byte) []byte {
	counts := make(map[browser]int)
	for line := range bytes.SplitSeq(lines, []byte("\n")) {
		if len(line) > 0 {
			counts[classify(line)]++
		}
	}
	ordered := slices.SortedFunc(maps.Keys(counts), func(a, b browser) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.version, b.version))
	})
	var out []byte
	for _, b := range ordered {
		out = fmt.Appendln(out, b.name, b.version, counts[b])
	}
	return out
}

func classify(line []byte) browser {
	for _, rule := range rules {
		found := rule.pattern.FindSubmatch(line)
		if found == nil || !bytes.Contains(line, rule.also) {
			continue
		}
		// At most nine digits, so it can only fail if there are none.
		version, _ := strconv.Atoi(string(found[1]))
		return browser{rule.name, version}
	}
	return browser{"other", 0}
}
