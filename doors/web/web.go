// Package web is the browser's door.
package web
