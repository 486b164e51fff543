/** What needs the AWS SDK: an entry of its own, so that a command over local files loads none of it. */
export { type S3SourceOptions, s3Source } from "./extract/s3-source.js";
export { s3Lake } from "./lake/s3-store.js";
