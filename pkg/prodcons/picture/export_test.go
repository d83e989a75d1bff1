package picture

// Playing is the SVG that Play shows.
func Playing(p Picture) []byte { return p.playing() }
