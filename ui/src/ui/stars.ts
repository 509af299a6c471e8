/** How a rating is written. */

/** 4 of 5: `★★★★☆`. */
export const starred = (stars: number): string => '★'.repeat(stars) + '☆'.repeat(5 - stars);
