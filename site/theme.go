package site

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// A practice picks one colour; every shade is derived from it and moved until the text on it can be read:
// buttons 5.5 : 1, soft tints 7 : 1, on dark 8 : 1. WCAG 2.2 AA asks 4.5. Colours that carry meaning are not themed.

// defaultColour stands in for a practice without one, or with one that is no colour.
const defaultColour = "#0e5a61"

type rgb struct{ r, g, b float64 }

var colour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

func parse(hex string) rgb {
	if !colour.MatchString(hex) {
		hex = defaultColour
	}
	n, err := strconv.ParseUint(hex[1:], 16, 32)
	if err != nil {
		return parse(defaultColour)
	}
	return rgb{float64(n >> 16 & 255), float64(n >> 8 & 255), float64(n & 255)}
}

func (c rgb) hex() string {
	return fmt.Sprintf("#%02x%02x%02x", int(c.r+.5), int(c.g+.5), int(c.b+.5))
}

// whole rounds to what hex writes, so that contrast is that of the colour on the screen.
func (c rgb) whole() rgb {
	return rgb{math.Floor(c.r + .5), math.Floor(c.g + .5), math.Floor(c.b + .5)}
}

func mix(a, b rgb, t float64) rgb {
	return rgb{a.r + (b.r-a.r)*t, a.g + (b.g-a.g)*t, a.b + (b.b-a.b)*t}
}

// luminance and contrast are WCAG's.
func luminance(c rgb) float64 {
	l := func(v float64) float64 {
		v /= 255
		if v <= .04045 {
			return v / 12.92
		}
		return math.Pow((v+.055)/1.055, 2.4)
	}
	return .2126*l(c.r) + .7152*l(c.g) + .0722*l(c.b)
}

func contrast(a, b rgb) float64 {
	x, y := luminance(a.whole()), luminance(b.whole())
	if x < y {
		x, y = y, x
	}
	return (x + .05) / (y + .05)
}

// until moves c toward an end until it stands out from against.
func until(c, toward, against rgb, want float64) rgb {
	for i := 0; i < 120 && contrast(c, against) < want; i++ {
		c = mix(c, toward, .05)
	}
	return c.whole()
}

var (
	white, black = rgb{255, 255, 255}, rgb{0, 0, 0}
	paper        = parse("#f5f4ef")
	night        = parse("#162124") // cards in the dark; the page behind them is darker still
	snow         = parse("#eef8f7")
)

// hsl is the colour's hue in sixths, saturation and lightness.
func (c rgb) hsl() (h, s, l float64) {
	r, g, b := c.r/255, c.g/255, c.b/255
	hi, lo := max(r, g, b), min(r, g, b)
	l, d := (hi+lo)/2, hi-lo
	if d == 0 {
		return 0, 0, l
	}
	switch hi {
	case r:
		h = math.Mod((g-b)/d+6, 6)
	case g:
		h = (b-r)/d + 2
	default:
		h = (r-g)/d + 4
	}
	return h, d / (1 - math.Abs(2*l-1)), l
}

// tone keeps the hue at a share of the saturation, at lightness l: a tint mixed with white would turn grey.
func (c rgb) tone(share, l float64) rgb {
	h, s, _ := c.hsl()
	chroma := (1 - math.Abs(2*l-1)) * s * share
	at := func(n float64) float64 {
		k := math.Mod(n+h, 6)
		return 255 * (l + chroma/2 - chroma*max(0, min(k, 4-k, 1)))
	}
	return rgb{at(5), at(3), at(1)}
}

// lift lightens the colour, less and less saturated, until it stands out from a dark ground.
func (c rgb) lift(against rgb, want float64) rgb {
	_, _, l := c.hsl()
	for ; l < 1; l += .01 {
		if lifted := c.tone(.6, l).whole(); contrast(lifted, against) >= want {
			return lifted
		}
	}
	return white
}

// shades are the brand tokens of one scheme.
type shades struct{ brand, hover, onBrand, soft, softInk, deep, onDeep rgb }

func light(base rgb) shades {
	// The paper is the darker ground of the two: what reads there reads on white.
	brand := until(until(base, black, white, 5.5), black, paper, 5.5)
	soft := base.tone(.45, .92).whole()
	return shades{
		brand: brand, hover: mix(brand, black, .22).whole(), onBrand: white,
		soft: soft, softInk: until(brand, black, soft, 7),
		deep: brand, onDeep: white,
	}
}

func dark(base rgb) shades {
	brand := base.lift(night, 8)
	soft := until(mix(night, until(base, black, white, 5.5), .45), black, snow, 8.5)
	hover := mix(brand, white, .3).whole()
	return shades{
		brand: brand, hover: hover, onBrand: until(mix(base, black, .8), black, brand, 7),
		soft: soft, softInk: until(hover, white, soft, 7),
		deep: until(mix(base, night, .35), black, snow, 7.5), onDeep: snow,
	}
}

func (s shades) css() string {
	return fmt.Sprintf("--brand:%s;--brand-h:%s;--on-brand:%s;--soft:%s;--soft-ink:%s;--deep:%s;--on-deep:%s",
		s.brand.hex(), s.hover.hex(), s.onBrand.hex(), s.soft.hex(), s.softInk.hex(), s.deep.hex(), s.onDeep.hex())
}

// themeCSS is the style sheet of one colour. Dark tokens hold on screens only: paper is white.
func themeCSS(hex string) string {
	base := parse(hex)
	l, d := light(base).css(), dark(base).css()
	return "@layer tokens{:root{" + l + "}@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){" + d +
		"}}@media screen{:root[data-theme=dark]{" + d + "}}}\n"
}

// ThemePath is the path of the style sheet that carries the practice's colour. The colour is in the path, so that one
// handler serves every practice, and so is a hash of the sheet, so that it can be kept for ever.
func ThemePath(hex string) string {
	css := themeCSS(hex)
	return "/a/theme-" + strings.TrimPrefix(parse(hex).hex(), "#") + "." + digest([]byte(css)) + ".css"
}

var themeFile = regexp.MustCompile(`^/a/theme-([0-9a-f]{6})\.[0-9a-f]{10}\.css$`)

func themed(path string) *asset {
	m := themeFile.FindStringSubmatch(path)
	if m == nil {
		return nil
	}
	if at := ThemePath("#" + m[1]); at != path {
		return nil // of another release; the page names the right one
	}
	css := []byte(themeCSS("#" + m[1]))
	return &asset{path: path, kind: kinds[".css"], raw: css}
}
