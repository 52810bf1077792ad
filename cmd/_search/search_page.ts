import { assetRoute, type Route, type WebRequest } from "../../lib/web/mod.ts";
import { CLIENT_ROUTE, scriptRoute, styleRoute } from "../_web/assets.ts";
import html from "../_web/served/search.html" with { type: "text" };
import css from "../_web/served/search.css" with { type: "text" };
import js from "../_web/served/search.js" with { type: "text" };

/** The search page with all that it loads. What it shows is in its URL, so it is at several paths. */
export const SEARCH_PAGE: readonly Route[] = [
  ...["/", "/entry", "/entry/:key"].map((path) =>
    assetRoute(path, html, "text/html; charset=utf-8")
  ),
  styleRoute("/search.css", css),
  scriptRoute("/search.js", js),
  CLIENT_ROUTE,
  { method: "GET", path: "/opensearch.xml", isPublic: true, handle: openSearch },
];

/** Lets browsers add the page to their search engines. */
function openSearch({ url: { origin } }: WebRequest) {
  // A host name has no characters that mean something in XML.
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">
  <ShortName>socktool</ShortName>
  <Description>Search the entries of ${origin}</Description>
  <InputEncoding>UTF-8</InputEncoding>
  <Url type="text/html" template="${origin}/?q={searchTerms}"/>
  <Url type="application/json" template="${origin}/api/search?q={searchTerms}&amp;limit={count?}&amp;offset={startIndex?}"/>
</OpenSearchDescription>
`;
  return {
    status: 200,
    headers: { "content-type": "application/opensearchdescription+xml" },
    body,
  };
}
