//go:build wellgate_slowdisk

package durable

import "time"

func slowDisk() { time.Sleep(20 * time.Millisecond) }
