import { directoryLake, type LakeStore } from "etl-lib";
import { readAwsEnvironment } from "../../connect/environment.js";
import { LAKE_FOLDER } from "../../functions/etl/contract.js";
import { UsageError } from "../shared/failure.js";
import { environment, WORK_FOLDER } from "../shared/project.js";

/** @param place a folder, or `s3://bucket` */
export async function openStore(place: string): Promise<LakeStore> {
  if (!place.startsWith("s3://")) return directoryLake(place);
  const bucket = /^s3:\/\/([a-z0-9][a-z0-9.-]+)\/?$/.exec(place)?.[1];
  if (bucket === undefined)
    throw new UsageError(
      `"${place}" names no bucket: s3://bucket is what a lake lies in, in its folder ${LAKE_FOLDER}/.`,
    );
  const [{ s3Lake }, { createS3Client }] = await Promise.all([
    import("etl-lib/s3"),
    import("../../connect/clients.js"),
  ]);
  return s3Lake(createS3Client(readAwsEnvironment(environment(WORK_FOLDER))), bucket, LAKE_FOLDER);
}
