package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/wellgate/wellgate/test/lazyfs"
)

// practice.json names the audit log, which never changes its name: what was written must stand after a power cut, whole.
func TestConfigSurvivesAPowerCut(t *testing.T) {
	if err := lazyfs.Available(); err != nil {
		t.Skip(err)
	}
	disk := lazyfs.New()
	for _, name := range []string{"First practice", "Second practice"} {
		dir := t.TempDir()
		unmount, err := disk.Mount(dir)
		if err != nil {
			t.Skip(err)
		}
		err = writeConfig(dir, config{Name: name, Log: "test/log"})
		disk = disk.PowerCut(nil)
		if uerr := unmount(); err != nil || uerr != nil {
			t.Fatal(err, uerr)
		}
		after := t.TempDir()
		if err := disk.Save(after); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(after, configFile))
		if err != nil {
			t.Fatalf("after the power cut: %v", err)
		}
		var c config
		if err := json.Unmarshal(b, &c); err != nil || c.Name != name || c.Log != "test/log" {
			t.Fatalf("after the power cut: %q, %v", b, err)
		}
	}
}
