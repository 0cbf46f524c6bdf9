package main

import (
	"errors"
	"testing"
)

func TestBytesOf(t *testing.T) {
	for text, want := range map[string]int64{"512MiB": 512 << 20, "2GB": 2e9, "1.5 gib": 3 << 29, "1048576b": 1 << 20,
		"": 0, "12": 0, "-1GB": 0, "GB": 0, "1KB": 0, "0GB": 0, "nanGB": 0, "1e30GB": 0, "infGB": 0} {
		if got, err := bytesOf(text); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
}

// The cache follows what this process may use, not what the computer has.
func TestCacheFromMemory(t *testing.T) {
	const meminfo = "MemTotal:       16777216 kB\nMemFree: 1 kB\n"
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"no Linux", nil, plainCache},
		{"no group", map[string]string{"/proc/meminfo": meminfo}, 4 << 30},
		{"a group without a limit", map[string]string{"/proc/meminfo": meminfo, "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/memory.max": "max\n"}, 4 << 30},
		{"a limit around the group", map[string]string{"/proc/meminfo": meminfo, "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/memory.max": "max\n",
			"/sys/fs/cgroup/a/memory.max": "2147483648\n"}, 512 << 20},
		{"a container", map[string]string{"/proc/meminfo": meminfo, "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "1073741824\n"}, 256 << 20},
		{"very little", map[string]string{"/proc/meminfo": "MemTotal: 100000 kB\n"}, leastCache},
	} {
		got := fromMemory(func(path string) ([]byte, error) {
			if s, ok := tt.files[path]; ok {
				return []byte(s), nil
			}
			return nil, errors.New("no such file")
		})
		if got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
