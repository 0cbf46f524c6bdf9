package fhir

// Bundle: resources sent together. For a large one read with Entries, which does not hold it in memory twice.
type Bundle struct {
	ID         string        `json:"id,omitzero"`
	Meta       *Meta         `json:"meta,omitzero"`
	Identifier Identifier    `json:"identifier,omitzero"`
	Type       string        `json:"type,omitzero"` // document | message | transaction | transaction-response | batch | batch-response | history | searchset | collection
	Timestamp  DateTime      `json:"timestamp,omitzero"`
	Total      *int          `json:"total,omitzero"`
	Link       []BundleLink  `json:"link,omitzero"`
	Entry      []BundleEntry `json:"entry,omitzero"`
}

type BundleLink struct {
	Relation string `json:"relation,omitzero"`
	URL      string `json:"url,omitzero"`
}

type BundleEntry struct {
	FullURL  string               `json:"fullUrl,omitzero"`
	Resource Resource             `json:"resource,omitzero"`
	Search   *BundleEntrySearch   `json:"search,omitzero"`
	Request  *BundleEntryRequest  `json:"request,omitzero"`
	Response *BundleEntryResponse `json:"response,omitzero"`
}

type BundleEntrySearch struct {
	Mode  string  `json:"mode,omitzero"` // match | include | outcome
	Score Decimal `json:"score,omitzero"`
}

type BundleEntryRequest struct {
	Method          string   `json:"method,omitzero"` // GET | HEAD | POST | PUT | DELETE | PATCH
	URL             string   `json:"url,omitzero"`
	IfNoneMatch     string   `json:"ifNoneMatch,omitzero"`
	IfModifiedSince DateTime `json:"ifModifiedSince,omitzero"`
	IfMatch         string   `json:"ifMatch,omitzero"`
	IfNoneExist     string   `json:"ifNoneExist,omitzero"`
}

type BundleEntryResponse struct {
	Status       string   `json:"status,omitzero"`
	Location     string   `json:"location,omitzero"`
	Etag         string   `json:"etag,omitzero"`
	LastModified DateTime `json:"lastModified,omitzero"`
	Outcome      Resource `json:"outcome,omitzero"`
}
