// Names that APIs give to the parameters of paging, and to what their answers say of it.

/** A name without case and separators: `page[size]`, `page_size` and `pageSize` are one. */
export const plainName = (name: string): string => name.replaceAll(/[^a-z0-9]/gi, '').toLowerCase()

/** A test of names, in their plain form. */
export type Names = (name: string) => boolean

function names(text: string): Names {
  const all = new Set(text.split(' '))
  return (name) => all.has(plainName(name))
}

/** The number of records in a page. */
export const isPageSize = names(
  'limit perpage pagesize pagelimit pagelen size count maxresult maxresults maxcount maxitems maxrecords top ' +
    'first rows take num hitsperpage resultsperpage itemsperpage recordsperpage limitperpage itemsinpage ' +
    'pagecount batchsize chunksize nbperpage resultcount fetchlimit psize results',
)
export const isPage = names('page pagenumber pageno pagenum pageindex currentpage p pageid pagestart')
export const isOffset = names(
  'offset skip start startat startindex startfrom from pageoffset first firstresult startposition startrow index',
)
export const isCursor = names(
  'cursor pagecursor nextcursor pagetoken nextpagetoken nexttoken token continuationtoken continuation continue ' +
    'after pageafter aftercursor marker nextmarker scrollid startkey exclusivestartkey bookmark nextpage ' +
    'pagestate starttoken startcursor next anchor pageid offset start skiptoken',
)
/** The id of the last record of the page before. */
export const isAfterRecord = names('startingafter afterid sinceid startafter lastid fromid minid after')

/** A member with the cursor of the next page. */
export const isNextCursor = names(
  'nextcursor nextpage nexttoken nextkey nextmarker nextid nextoffset nextstart nextbatch nextanchor nextafter ' +
    'nextpagetoken nextpagecursor nextpagekey nextpageid nextstate nextpagestate cursor pagetoken ' +
    'continuationtoken continuation continue scrollid endcursor bookmark lastevaluatedkey next after anchor ' +
    'offset marker pagestate',
)
/** A member with the URL of the next page. */
export const isNextLink = names(
  'next nextlink nexturl nexturi nexthref nextpage nextpageurl nextpageuri nextpagelink nextrecordsurl nextpath ' +
    'odatanextlink',
)
/** An object whose members are URLs. */
export const isLinks = names('links link')
/** An object that holds what a page says of itself. */
export const isAboutPages = names(
  'meta metadata listmeta page pages paging pager pagination pageinfo pagemeta pagemetadata pagecontext ' +
    'pagedetails paginationinfo paginationmetadata responsemetadata cursor cursors link links next nextpage ' +
    'collectioninfo resultset resultinfo searchmetadata responseinfo info',
)
/** An object around all of an answer. */
export const isEnvelope = names('data response result results body payload')

export const isTotalName = names(
  'total totalcount totalresults totalrecords totalitems totalelements totalhits totalrows totalsize ' +
    'totalentries totalnumber numfound recordcount itemcount resultcount totalresultcount recordstotal odatacount ' +
    'count itemstotal fullcount',
)
/** It may be the number of records in this page. */
export const isCountOfPage = names('count itemcount resultcount recordcount')
export const isPagesName = names(
  'pages totalpages pagecount totalpagecount numpages pagestotal lastpage numberofpages pagetotal',
)
export const isMoreName = names(
  'hasmore hasnext hasnextpage more moreresults hasmoreitems morerecords moreitems moreavailable hasmoreresults',
)
export const isDoneName = names('islast islastpage last done endofstream endoflist nomore')
/** Headers. */
export const isTotalHeader = names('xtotalcount xtotal xwptotal xpaginationtotalcount totalcount xtotalresults')
export const isPagesHeader = names('xtotalpages xwptotalpages xpaginationpagecount xpagecount totalpages')
export const isNextHeader = names('xnextpage xnextcursor xcontinuationtoken xnexttoken nextcursor xnext nextpagetoken')
