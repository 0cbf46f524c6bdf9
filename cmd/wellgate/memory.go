package main

import (
	"os"
	"strconv"
	"strings"
)

// cacheFlag is shared by the commands that serve people.
type cacheFlag struct {
	Cache string `placeholder:"SIZE" help:"Memory for opened records, e.g. 2GiB; the program takes up to twice as much. A quarter of this computer's memory, or of what the service may use, if not given."`
}

// budget is the cache's bytes.
func (c cacheFlag) budget() (int64, error) {
	if c.Cache == "" {
		return fromMemory(os.ReadFile), nil
	}
	return bytesOf(c.Cache)
}

var units = []struct {
	name  string
	bytes float64
}{{"KIB", 1 << 10}, {"MIB", 1 << 20}, {"GIB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}}

// bytesOf reads a number of bytes with its unit: 512MiB, 2GB.
func bytesOf(text string) (int64, error) {
	word := strings.ToUpper(text)
	for _, u := range units {
		if number, ok := strings.CutSuffix(word, u.name); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
			if n *= u.bytes; err != nil || !(n >= 1<<20 && n <= 1<<50) {
				break
			}
			return int64(n), nil
		}
	}
	return 0, problemf("%q is no size of at least 1MiB: write a number and a unit, such as 512MiB or 2GB", text)
}

const (
	leastCache = 64 << 20
	plainCache = 256 << 20 // where the memory is not known
)

// fromMemory is a quarter of the memory that this process may use: the computer's, or less in a container or a service with
// a limit.
func fromMemory(read func(string) ([]byte, error)) int64 {
	most := int64(0)
	if b, err := read("/proc/meminfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if kb, ok := strings.CutPrefix(line, "MemTotal:"); ok {
				n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 10, 64)
				most = n << 10
			}
		}
	}
	if most == 0 {
		return plainCache
	}
	if limit := groupLimit(read); limit > 0 {
		most = min(most, limit)
	}
	return max(leastCache, most/4)
}

// groupLimit is the lowest memory.max of this process's control group and those around it; 0 for none.
func groupLimit(read func(string) ([]byte, error)) (limit int64) {
	b, err := read("/proc/self/cgroup")
	if err != nil {
		return 0
	}
	_, group, ok := strings.Cut(string(b), "0::")
	group, _, _ = strings.Cut(group, "\n")
	for ok {
		b, err := read("/sys/fs/cgroup" + strings.TrimSuffix(group, "/") + "/memory.max")
		if n, bad := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil && bad == nil && (limit == 0 || n < limit) {
			limit = n
		}
		at := strings.LastIndexByte(group, '/')
		if at < 0 || group == "/" {
			return limit
		}
		group = group[:max(at, 1)]
	}
	return limit
}
