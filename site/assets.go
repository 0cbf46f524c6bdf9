package site

// AssetPath is the path of a static file, named by its content so that it can be kept for ever.
func AssetPath(name string) string { return "/a/" + name }

// ThemePath is the path of the style sheet that carries the practice's colour.
func ThemePath(colour string) string { return "/a/theme.css" }
